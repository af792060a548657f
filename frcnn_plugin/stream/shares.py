"""One run in several processes: who does what, and how their results become one."""

import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ..errors import CannotContinueError, UnfinishedError, UserError
from ..io.whole_files import whole_or_absent, write_whole
from .lines import Lines
from .results import FINISHED, check_settings, notes_of, read_notes
from .sources import Source

VARIABLES = {  # of the environment: the number of this process, of all, of it here
    'pytorch': ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
    'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
    'mpi': ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE',
            'OMPI_COMM_WORLD_LOCAL_RANK')}
PATIENCE = 10.0  # seconds before it says whom it waits for
WAIT = 0.5  # seconds between two looks at what the others have done
SHARE = re.compile(r'detections-\d{5}-of-(\d{5})\.jsonl')


@dataclass(frozen=True)
class Share:
    """What one of n processes does: every n-th batch.

    Attributes:
        rank: The number of the process, from 0.
        number: How many there are.
        local: Its number among those of this machine.
    """

    rank: int = 0
    number: int = 1
    local: int = 0

    @classmethod
    def of(cls, launcher: str) -> 'Share':
        """The share of this process, from its environment.

        Raises:
            UserError: If the launcher set no such variables.
        """
        if launcher == 'none':
            return cls()
        try:
            return cls(*(int(os.environ[name]) for name in VARIABLES[launcher]))
        except KeyError as error:
            raise UserError(f'{error.args[0]} is not set in the environment: this '
                            f'process was not started by {launcher}') from error

    def mine(self, batches: Iterable[list[Source]]) -> Iterator[list[Source]]:
        """The batches of this process."""
        return (batch for place, batch in enumerate(batches)
                if place % self.number == self.rank)

    def file(self, out: Path, rank: int | None = None) -> Path:
        """Where the results of this process go, or those of another one."""
        if self.number == 1:
            return out / 'detections.jsonl'
        rank = self.rank if rank is None else rank
        return out / f'detections-{rank:05d}-of-{self.number:05d}.jsonl'

    def check(self, out: Path, resume: bool) -> None:
        """Look for a run in ``out`` of another number of processes.

        Raises:
            UnfinishedError: If it would be lost.
            CannotContinueError: If it was to be resumed.
        """
        for path in out.glob('detections*.jsonl'):
            name, notes = SHARE.fullmatch(path.name), read_notes(path)
            number = int(name[1]) if name else 1
            if number == self.number or notes is None or (
                    number == 1 and notes[FINISHED]):
                continue
            if resume:
                raise CannotContinueError(
                    f'{path} belongs to a run of {number} '
                    f'process{"es" * (number > 1)}; this one has {self.number}')
            raise UnfinishedError(f'{path} belongs to an unfinished run')

    def wait(self, out: Path, settings: dict) -> None:
        """Wait until the results of all processes are finished.

        Raises:
            CannotContinueError: If one of them has other settings.
        """
        missing, start, told = set(range(self.number)), time.monotonic(), False
        while missing:
            for rank in sorted(missing):
                path = self.file(out, rank)
                notes = read_notes(path)
                if notes is not None:
                    check_settings(path, notes, settings)
                    missing -= {rank} if notes[FINISHED] else set()
            if missing and not told and time.monotonic() > start + PATIENCE:
                print(f'{out}: waiting for the processes '
                      f'{", ".join(map(str, sorted(missing)))}', flush=True)
                told = True
            if missing:
                time.sleep(WAIT)

    def merge(self, out: Path, batches: Iterable[list[Source]], settings: dict) -> None:
        """Make one file of the results of all processes, in the order of the input.

        Raises:
            CannotContinueError: If the input is not what they began with.
        """
        whole = Share().file(out)
        with ExitStack() as stack:
            lines = [stack.enter_context(Lines(self.file(out, rank), finished=True))
                     for rank in range(self.number)]
            merged = stack.enter_context(whole_or_absent(whole))
            for place, batch in enumerate(batches):
                share = lines[place % self.number]
                merged.writelines(share.of_batch(batch))
                if not share.complete:
                    raise CannotContinueError(f'{share.path} ends before '
                                              f'{batch[-1].name}, which is new')
        write_whole(notes_of(whole), json.dumps({**settings, FINISHED: True}, indent=1
                                                ).encode())

    def remove(self, out: Path) -> None:
        """Remove the files of the single processes, once they are merged."""
        for rank in range(self.number):
            file = self.file(out, rank)
            notes_of(file).unlink(missing_ok=True)
            file.unlink(missing_ok=True)
