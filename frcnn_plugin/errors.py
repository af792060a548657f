"""Errors that the user can mend, and how the commands print them."""

import sys
from collections.abc import Callable


class UserError(Exception):
    """Something is wrong with what the user gave; the message says what and how.

    The message is one line: what is wrong, in which file, and what to do.
    """


NAME = f'{UserError.__module__}.{UserError.__name__}: '


def exit_with_one_line(main: Callable[[], None]) -> None:
    """Run a command; an error that the user can mend is printed without a traceback.

    Args:
        main: The command. It ends normally, or raises :class:`UserError`.
    """
    try:
        main()
    except UserError as error:
        # one that comes out of a loader's worker has its traceback in the message
        message = str(error).strip().splitlines()[-1]
        print(f'error: {message.removeprefix(NAME)}', file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        sys.exit(130)
