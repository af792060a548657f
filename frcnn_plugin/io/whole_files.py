"""Files that are whole or absent, however the process that writes them ends."""

import errno
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PART = re.compile(r'\.(?P<host>.+)\.(?P<pid>\d+)\.[0-9a-f]+\.part')
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # no space, a quota, a file's limit
DAY = 24 * 60 * 60  # seconds


@contextmanager
def whole_or_absent(path: str | Path) -> Iterator[BinaryIO]:
    """A file to write, which takes its name when it is complete and on the disk.

    Until then a file that already has this name stays as it is.

    Raises:
        OSError: If it cannot be written; nothing is left of the attempt.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(  # several processes may write the same file
        f'.{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}.part')
    try:
        with part.open('xb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:  # the name has to reach the disk, too
        os.fsync(folder)
    finally:
        os.close(folder)


def write_whole(path: str | Path, data: bytes) -> None:
    """Write a file at once, see :func:`whole_or_absent`."""
    with whole_or_absent(path) as file:
        file.write(data)


def remove_parts(folder: str | Path) -> None:
    """Remove what killed processes left in a folder.

    Parts of processes of this host that are still alive stay. Whether a process of
    another host is alive is not known here; its parts stay for a day.
    """
    for part in Path(folder).glob('.*.part'):
        owner = PART.fullmatch(part.name)
        try:
            if owner and owner['host'] == socket.gethostname():
                os.kill(int(owner['pid']), 0)  # sends nothing; fails if it is dead
                continue
            if time.time() - part.stat().st_mtime <= DAY:
                continue
        except ProcessLookupError:
            pass
        except (FileNotFoundError, PermissionError):  # complete by now; someone else's
            continue
        if part.is_dir() and not part.is_symlink():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)
