"""Checks for rules that a query cannot express, one module a rule."""
