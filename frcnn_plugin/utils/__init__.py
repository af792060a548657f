"""What several stages share and what belongs to no stage."""
