"""One module per external system. No domain code, no FastAPI."""
