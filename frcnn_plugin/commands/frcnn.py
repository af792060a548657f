"""``frcnn``: all commands under one name, for where the package is installed."""

import sys
from difflib import get_close_matches
from importlib import import_module

from ..errors import exit_with_one_line
from ..version import __version__

COMMANDS = {  # name: what it does; the function is called like its module
    'train': 'train a detector',
    'test': 'measure one: AP by class, or the recall of its proposals',
    'detect': 'detect in pictures and videos',
    'inspect_stages': 'look inside: a picture of every stage, and one page',
    'browse_dataset': 'draw what training is fed',
    'export': 'one file for other programs: ONNX or torch.export',
    'prepare_voc': 'make a folder in VOC layout from other layouts, or download VOC',
    'check_dataset': 'say what is wrong with a data set, and write a cleaned copy',
    'make_proposals': 'search regions for R-CNN and Fast R-CNN',
    'make_shapes': 'generate the data of the demo',
    'convert': 'checkpoints of other code bases into ours, and back',
}


def main() -> None:
    """Run ``frcnn COMMAND ...``."""
    name = sys.argv[1].replace('-', '_') if len(sys.argv) > 1 else '__help'
    if name in ('__help', '_h'):
        print(f'usage: frcnn COMMAND ...   (frcnn_plugin {__version__})\n')
        for command, what in COMMANDS.items():
            print(f'  {command.replace("_", "-"):16}{what}')
        print('\nfrcnn COMMAND --help tells the options of each. A config is a file, '
              'or the\nname of one of the package, such as frcnn_r50_c4_voc.')
        return
    if name not in COMMANDS:
        near = get_close_matches(name, COMMANDS, 1)
        hint = f', did you mean {near[0].replace("_", "-")}?' if near else ''
        sys.exit(f'error: there is no command {sys.argv[1]}{hint} (frcnn --help)')
    sys.argv[:2] = [f'frcnn {name.replace("_", "-")}']
    exit_with_one_line(lambda: run(name))


def run(name: str) -> None:
    """Run one command and end with its status."""
    command = getattr(import_module(f'{__package__}.{name}'), name)
    result = command()
    sys.exit(result if isinstance(result, int) else 0)
