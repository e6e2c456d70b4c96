"""How to say it."""
