"""Readers of runtime recordings, one module a format."""
