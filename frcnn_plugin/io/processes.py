"""Work on many items, shared among the cores."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar('Item')
Result = TypeVar('Result')
MANY = 5000  # items from which processes are worth their start
CHUNK = 128  # items that a process is given at once


def in_processes(function: Callable[[Item], Result], items: Sequence[Item],
                 many: int = MANY) -> Iterator[Result]:
    """The results for all items, in order; many are shared among forked processes.

    They are forked, as the workers of a data loader are.

    Args:
        function: One that can be pickled.
        items: Its arguments.
        many: How many are enough for several processes.

    Raises:
        Exception: What the function raises, where its result would come, or before.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else 1
    cores //= int(os.environ.get('LOCAL_WORLD_SIZE', 1))  # others do the same work
    if len(items) < many or cores < 2 or multiprocessing.current_process().daemon:
        yield from map(function, items)
        return
    with multiprocessing.get_context('fork').Pool(cores) as pool:
        yield from pool.imap(function, items, CHUNK)
