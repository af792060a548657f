"""Configs: found, read, and changed by one list of changes."""
