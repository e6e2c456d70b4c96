"""A plain folder as a tree."""

from gatecli.sources.trees import DirectoryTree

__all__ = ["DirectoryTree"]
