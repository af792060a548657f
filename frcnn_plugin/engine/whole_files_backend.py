"""mmengine's local files, written whole."""

from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from ..io.whole_files import write_whole

BACKEND = 'whole_files'


class WholeFilesBackend(LocalBackend):
    """The backend that ``backend_args=dict(backend=BACKEND)`` selects."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file of bytes."""
        write_whole(filepath, obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Write a file of text."""
        write_whole(filepath, obj.encode(encoding))


register_backend(BACKEND, WholeFilesBackend, force=True)
