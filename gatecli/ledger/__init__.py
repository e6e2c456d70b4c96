"""What gate remembers of its own decisions."""
