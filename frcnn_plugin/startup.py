"""Whether this process only prints help, which must not take seconds."""

import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent / 'tools'


def only_prints_help() -> bool:
    """Whether the process is our command, and its arguments ask for help.

    Registering the components imports torch and mmdet: 5 seconds for a list of
    options. A process that prints help ends in the parser and never needs them. Any
    other one that imports the package does, so whatever is in doubt is not help.
    """
    words = sys.argv[1:]
    if words and (not {'-h', '--help', '--version'}.intersection(words)
                  or '--' in words):
        return False
    if sys.argv[:1] == ['-m']:  # while Python looks for the module that it is to run
        return sys.orig_argv[-len(sys.argv)] in ('frcnn_plugin', '-mfrcnn_plugin')
    try:
        script = Path(sys.argv[0])
        if script.name == 'frcnn':  # as pip writes it
            return 'from frcnn_plugin.commands.frcnn import main' in script.read_text()
        return bool(words) and script.resolve() in (TOOLS / 'train.py',
                                                    TOOLS / 'test.py')
    except (OSError, ValueError, IndexError):
        return False
