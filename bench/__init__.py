"""What training costs, measured: `make bench`. Not part of the library."""
