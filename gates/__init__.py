"""A phase-tracking quality gate and performance harness for backends."""

__version__ = "0.1.0"
