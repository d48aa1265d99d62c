"""EMG: raw recordings and their clocks, envelopes made of them, and tables already cut into cycles."""
