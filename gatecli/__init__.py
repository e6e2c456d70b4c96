"""gate: a pre-merge risk gate for AI-authored changes."""

__version__ = "0.1.0"
