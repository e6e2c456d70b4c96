"""How agents ask: answers small enough to read before every edit."""
