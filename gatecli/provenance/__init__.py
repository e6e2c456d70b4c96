"""Who really wrote the change."""
