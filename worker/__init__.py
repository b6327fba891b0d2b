"""The worker: code that only background processes run."""
