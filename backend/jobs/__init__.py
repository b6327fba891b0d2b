"""Jobs: a photo comes in, a worker makes every size of it."""
