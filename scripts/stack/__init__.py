"""The production stack on one host: started, updated without downtime, and looked at."""
