"""Deploys to Fly.io."""
