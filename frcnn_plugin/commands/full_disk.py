"""Disk-full errors that name the folder."""

import errno
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UserError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # no space, a quota, a file's limit


@contextmanager
def explain_full_disk(work_dir: str, then: str = '') -> Iterator[None]:
    """Report a full disk in one line; logs in the folder that do not fit are silent.

    Args:
        work_dir: Where everything is written.
        then: What to do when there is space.

    Raises:
        UserError: In place of the system's error.
    """
    folder, handle = Path(work_dir).absolute(), logging.FileHandler.handleError

    def quietly(handler: logging.FileHandler, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not (isinstance(error, OSError) and error.errno in FULL
                and folder in Path(handler.baseFilename).parents):
            handle(handler, record)

    # the handlers of a run are made by mmengine, when the run begins
    logging.FileHandler.handleError = quietly
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise UserError(f'{work_dir}: nothing more can be written ({error.strerror}); '
                        f'free some space{then}') from error
    finally:
        logging.FileHandler.handleError = handle
