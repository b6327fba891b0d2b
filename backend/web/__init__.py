"""HTTP code shared by all features: problem documents, middleware, limits, health, dependencies."""
