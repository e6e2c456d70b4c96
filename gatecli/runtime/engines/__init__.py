"""Profiles from where they are kept: one module an engine."""
