"""A disk that is full, said with the folder that it is for."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import UserError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # no space, a quota, a file's limit


@contextmanager
def explain_full_disk(work_dir: str, then: str = '') -> Iterator[None]:
    """Turn the end of the disk into one line; log files that do not fit are silent.

    Args:
        work_dir: Where everything is written.
        then: What to do when there is room.

    Raises:
        UserError: In place of an error of the system that means just that.
    """
    shown, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise UserError(f'{work_dir}: nothing more can be written ({error.strerror}); '
                        f'make room{then}') from error
    finally:
        logging.raiseExceptions = shown
