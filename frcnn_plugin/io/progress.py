"""How far along some work is: a bar on the screen, or lines in a log."""

import time
from collections.abc import Iterable, Iterator, Sized
from datetime import timedelta
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn, Progress, TaskID, TimeElapsedColumn

Item = TypeVar('Item')
EVERY = 10.0  # seconds between two lines


def progress(items: Iterable[Item], what: object, total: int | None = None,
             quiet: int = 0) -> Iterator[Item]:
    """The items, with a bar on stderr, beside what a command prints.

    Args:
        items: What is worked on.
        what: What is done, for the bar.
        total: How many there are, if they do not tell.
        quiet: Up to this number there is no bar.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    with Bars(Progress.get_default_columns(), total is not None and total <= quiet
              ) as bar:
        task = bar.add_task(escape(str(what)), total=total)
        for item in items:
            yield item
            bar.advance(task)


def bars() -> 'Bars':
    """Bars for several things at once, whose totals may not be known yet."""
    return Bars((*Progress.get_default_columns(), TimeElapsedColumn(),
                 MofNCompleteColumn()))


class Bars(Progress):
    """Bars on stderr; where that is no terminal, a line every few seconds.

    Args:
        columns: What a bar shows.
        disable: Whether nothing is shown.
    """

    def __init__(self, columns: Iterable, disable: bool = False) -> None:
        super().__init__(*columns, console=Console(stderr=True), disable=disable)
        self.told = time.monotonic()

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """Count more of a task as done."""
        super().advance(task_id, advance)
        if self.disable or self.console.is_terminal or (
                time.monotonic() < self.told + EVERY):
            return
        self.told = time.monotonic()
        task = next(task for task in self.tasks if task.id == task_id)
        line = f'{task.description}: {task.completed:,.0f}'
        if task.total:
            line += f' of {task.total:,.0f}'
        if task.time_remaining is not None:
            line += f', {timedelta(seconds=int(task.time_remaining))} left'
        self.console.print(line)
