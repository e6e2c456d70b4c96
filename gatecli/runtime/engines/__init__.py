"""Where profiles are fetched from, one module an engine."""
