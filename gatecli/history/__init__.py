"""What happened to these functions before."""
