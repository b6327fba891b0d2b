"""Jobs: a user uploads a file, and a worker creates other files from it."""
