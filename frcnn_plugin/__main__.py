"""``python -m frcnn_plugin COMMAND ...``."""

from .commands.frcnn import main

if __name__ == '__main__':
    main()
