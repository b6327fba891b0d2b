"""The domain and its HTTP API. This package never imports the worker."""

__version__ = "0.1.0"
