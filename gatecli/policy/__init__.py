"""What must happen before it merges."""
