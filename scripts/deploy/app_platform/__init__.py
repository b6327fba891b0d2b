"""The deploy tool on DigitalOcean App Platform."""
