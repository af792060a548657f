"""Former names of commands and options, which still work and print a warning."""

import argparse
import sys

REMOVED_IN = '0.3'
FORMER = {  # what to write instead
    'prepare-voc': 'frcnn prepare',
    '--from-folder': 'frcnn prepare DIR',
    '--from-coco': 'frcnn prepare FILE.json',
    '--from-yolo': 'frcnn prepare DIR',
}


def warn_of_former(args: argparse.Namespace) -> None:
    """Say on standard error which former names the arguments of a command have."""
    for name, instead in FORMER.items():
        given = args.command == name or getattr(
            args, name.removeprefix('--').replace('-', '_'), None) is not None
        if given:
            print(f'warning: {name} is deprecated and will be removed in version '
                  f'{REMOVED_IN}; use {instead}', file=sys.stderr)
