"""How the touched functions really run."""
