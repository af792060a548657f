"""Files that are whole or absent, however the process ends.

Comes in: bytes and a path. Goes out: the file, or the one that was there before.
"""

import os
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

BACKEND = 'whole_files'


def write_whole(path: str | Path, data: bytes) -> None:
    """Write aside, flush to the disk, and only then take the name.

    Args:
        path: The file; one that is there is replaced.
        data: Its content.

    Raises:
        OSError: If it can not be written; nothing is left of the attempt.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        with aside.open('wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:  # the name too has to reach the disk
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_parts(folder: str | Path) -> None:
    """Remove what killed processes left behind."""
    for part in Path(folder).glob('.*.part'):
        part.unlink(missing_ok=True)


class WholeFiles(LocalBackend):
    """mmengine's local files, written whole: ``backend_args=dict(backend=BACKEND)``."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes."""
        write_whole(filepath, obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Write text."""
        write_whole(filepath, obj.encode(encoding))


register_backend(BACKEND, WholeFiles, force=True)
