"""The domain and its HTTP face. Nothing in here knows the worker's code."""

__version__ = "0.1.0"
