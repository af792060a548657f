"""Writing whole files; reading checkpoints and pickles of data."""
