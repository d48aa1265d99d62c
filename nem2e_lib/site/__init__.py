"""The rendered site: figures and tables saved, pages written, everything published whole or not at all."""
