"""``python -m frcnn_plugin COMMAND ...``."""

from .commands.frcnn import main

main()
