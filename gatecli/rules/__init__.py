"""What is notable about the change."""
