"""A bar on the screen for work that takes longer than a moment."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn, track

Item = TypeVar('Item')


def progress(items: Iterable[Item], what: object, total: int | None = None,
             quiet: int = 0) -> Iterator[Item]:
    """The items, with a bar on stderr, beside what a command prints.

    Args:
        items: What is worked on.
        what: What is done, for the bar.
        total: How many there are, if they do not tell.
        quiet: Up to this number there is no bar.
    """
    total = len(items) if total is None and hasattr(items, '__len__') else total
    return iter(track(items, escape(str(what)), total, console=Console(stderr=True),
                      disable=total is not None and total <= quiet))


def bars() -> Progress:
    """Bars for several things at once, whose totals may not be known yet."""
    return Progress(*Progress.get_default_columns(), TimeElapsedColumn(),
                    MofNCompleteColumn(), console=Console(stderr=True))
