"""The study folder: what it says of itself, its trials, its signals; `load.load_study` reads it."""
