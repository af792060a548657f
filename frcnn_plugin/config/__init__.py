"""Finding, reading and changing configs."""
