"""How a command ends: with its status, and one line if something is wrong."""

import sys
from collections.abc import Callable

from ..errors import UserError
from .advice import advice_for


def exit_with_one_line(command: Callable[[], int | None]) -> None:
    """Run a command and end the process with its status.

    Args:
        command: It returns its status, or raises :class:`UserError`, which is printed
            without a traceback and with what to do about it.
    """
    try:
        sys.exit(command() or 0)
    except UserError as error:
        print(f'error: {message_of(error)}', file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        sys.exit(130)


def message_of(error: UserError) -> str:
    """What is wrong and what to type to mend it, in one line."""
    kind = type(error)
    # an error of a loader's worker arrives with its traceback as message
    line = str(error).strip().splitlines()[-1].removeprefix(
        f'{kind.__module__}.{kind.__qualname__}: ')
    advice = advice_for(error)
    return f'{line}. {advice}' if advice else line
