"""What stands behind the Makefile."""
