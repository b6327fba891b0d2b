"""HTTP plumbing that no feature owns: problems, middleware, limits, health, dependencies."""
