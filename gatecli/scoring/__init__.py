"""How risky the change is."""
