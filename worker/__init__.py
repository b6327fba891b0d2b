"""The worker: what only background processes do."""
