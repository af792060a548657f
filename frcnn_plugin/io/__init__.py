"""Files: whole ones, checkpoints, pickles of data."""
