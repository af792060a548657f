"""The options of each command, without importing what the commands need."""
