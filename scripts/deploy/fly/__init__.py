"""The deploy tool on Fly.io."""
