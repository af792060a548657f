"""The commands, as functions; flags and what a user types are known here only."""
