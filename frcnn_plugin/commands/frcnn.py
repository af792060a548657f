"""``frcnn``: all commands under one name."""

import sys
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module

from ..errors import NoTrainingPackagesError, UserError
from .advice import message_of
from .parser import COMMANDS, build_parser

TRAINING = ('torch', 'torchvision', 'mmengine', 'mmcv', 'mmdet', 'pycocotools', 'cv2',
            'jinja2', 'matplotlib')  # packages of setup.cfg's `lite` and `compiled`


def main(argv: list[str] | None = None) -> None:
    """Run ``frcnn COMMAND ...`` and end the process with its status.

    Args:
        argv: The name of a command and its arguments. Default: those of the process.
    """
    words = list(sys.argv[1:] if argv is None else argv) or ['--help']
    name = words[0].replace('-', '_')
    if name not in COMMANDS and not words[0].startswith('-'):
        near = get_close_matches(name, COMMANDS, 1)
        hint = f', did you mean {near[0].replace("_", "-")}?' if near else ''
        sys.exit(f'error: there is no command {words[0]}{hint} (frcnn --help)')
    # help and mistakes in the words end here, before anything slow is imported
    build_parser().parse_args([words[0].replace('_', '-'), *words[1:]])
    exit_with_one_line(lambda: load(name)(words[1:]))


def load(name: str) -> Callable[[list[str]], object]:
    """The function of a command.

    Raises:
        NoTrainingPackagesError: If it needs what ``frcnn-plugin[runtime]`` leaves out.
    """
    try:
        return getattr(import_module(f'{__package__}.{name}'), name)
    except ModuleNotFoundError as error:
        if str(error.name).partition('.')[0] not in TRAINING:
            raise
        raise NoTrainingPackagesError(
            f'frcnn {name.replace("_", "-")}: {error.name} is not installed') from error


def exit_with_one_line(command: Callable[[], object]) -> None:
    """Run a command and end the process with its status.

    Args:
        command: It returns its status, or what it made, or raises :class:`UserError`,
            which is printed without a traceback and with what to do about it.
    """
    try:
        result = command()
        sys.exit(result if isinstance(result, int) else 0)
    except UserError as error:
        print(f'error: {message_of(error)}', file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            raise
        print(f'error: {error.filename}: {error.strerror}', file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        sys.exit(130)
