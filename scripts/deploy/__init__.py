"""The deploy tool: staging, promotion by digest, rollback, on App Platform and on Fly.io."""
