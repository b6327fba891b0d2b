"""One file for each system outside the process. No business words, no FastAPI."""
