"""STDR-Net and its training over muscles, folds and seeds."""
