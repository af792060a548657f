"""Results that are kept as they come, and survive a kill."""

import json
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import CannotContinueError, UnfinishedError
from ..io.whole_files import write_whole
from .lines import Lines
from .sources import Source

SYNC = 5.0  # seconds after which what was written has to be on the disk
FINISHED = 'finished'


class Results:
    """A file with one line for each picture, to which whole batches are added.

    Beside it are its settings, in ``NAME.run.json``, and whether it is finished.

    Args:
        path: The file, ``NAME.jsonl``.
        settings: All that the lines depend on, as JSON has it.
        resume: Whether to continue what is there.
        part: Whether it is one of several that will be merged.

    Attributes:
        finished (bool): Whether nothing is left to be added.

    Raises:
        UnfinishedError: If a run that was not finished would be lost.
        CannotContinueError: If what is there was made with other settings.
    """

    def __init__(self, path: Path, settings: dict, resume: bool,
                 part: bool = False) -> None:
        self.path, self.settings = path, settings
        self.notes = notes_of(path)
        before = read_notes(path)
        if before is not None and not resume and (part or not before[FINISHED]):
            raise UnfinishedError(f'{path} belongs to an unfinished run')
        self.finished = resume and before is not None and before[FINISHED]
        if resume and before is not None:
            check_settings(path, before, settings)
        elif resume and path.is_file() and path.stat().st_size:
            raise CannotContinueError(f'{path} exists without {self.notes.name}, which '
                                      'says how it was made')
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.notes.unlink(missing_ok=True)  # first: they say that it is whole
            path.write_bytes(b'')
            self.note(finished=False)
        self.file = path.open('r+b', buffering=0)
        self.synced = time.monotonic()

    def left(self, batches: Iterable[list[Source]]) -> Iterator[list[Source]]:
        """The batches still to do; the lines of one that is there in part are removed.

        Raises:
            CannotContinueError: If a line is of another picture, or of one that is no
                longer in the input.
        """
        batches, end = iter(batches), 0
        with Lines(self.path, self.finished) as lines:
            for batch in batches:
                deque(lines.of_batch(batch), maxlen=0)
                if not lines.complete:
                    break
                end = lines.end
            else:
                if lines.line:
                    raise CannotContinueError(f'{self.path} lists pictures that are no '
                                              'longer there')
                return
        if self.finished:
            self.note(finished=False)
            self.finished = False
        self.file.truncate(end)
        self.file.seek(end)
        yield batch
        yield from batches

    def add(self, lines: Iterable[bytes]) -> None:
        """Write the lines of a batch.

        Raises:
            OSError: If they cannot be written; ``left`` removes what is torn.
        """
        data = memoryview(b''.join(lines))
        while data:
            data = data[self.file.write(data):]
        if time.monotonic() > self.synced + SYNC:
            os.fsync(self.file.fileno())
            self.synced = time.monotonic()

    def close(self) -> None:
        """Bring everything to the disk; nothing more will be added."""
        os.fsync(self.file.fileno())
        self.file.close()
        self.note(finished=True)
        self.finished = True

    def note(self, finished: bool) -> None:
        """Write the settings, and whether it is finished."""
        write_whole(self.notes, json.dumps(
            {**self.settings, FINISHED: finished}, indent=1).encode())


def check_settings(path: Path, before: dict, settings: dict) -> None:
    """Raise :class:`CannotContinueError` unless results were made with settings."""
    other = [key for key in settings if before.get(key) != settings[key]]
    if other:
        raise CannotContinueError(
            f'{path} was made with a different {" and a different ".join(other)}')


def notes_of(path: Path) -> Path:
    """The file of settings of some results."""
    return path.with_suffix('.run.json')


def read_notes(path: Path) -> dict | None:
    """The settings of some results; None unless both files exist.

    Raises:
        CannotContinueError: If they cannot be read.
    """
    notes = notes_of(path)
    if not (path.is_file() and notes.is_file()):
        return None
    try:
        found = json.loads(notes.read_bytes())
        return {FINISHED: False, **found}
    except (ValueError, TypeError) as error:
        raise CannotContinueError(f'{notes}: damaged ({error})') from error
