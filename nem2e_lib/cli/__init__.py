"""The command ``nem2e``."""
