"""Deploys to DigitalOcean App Platform."""
