"""Jobs: a file comes in, a worker makes other files of it."""
