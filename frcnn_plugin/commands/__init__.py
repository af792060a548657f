"""The commands, as functions: the scripts in ``tools/`` call these."""
