"""Work done in threads beside the work that waits for it."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar('Item')
Result = TypeVar('Result')


def ahead(pool: Executor, function: Callable[[Item], Result], items: Iterable[Item],
          number: int = 8) -> Iterator[Result]:
    """The results for all items in their order, ``number`` of them made in advance.

    Raises:
        Exception: What the function raises, where its result would come.
    """
    waiting: deque = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) > number:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class Clock:
    """How long the parts of some work take, in seconds; added up over threads."""

    def __init__(self) -> None:
        self.begin = time.perf_counter()
        self.parts: defaultdict[str, float] = defaultdict(float)
        self.lock = threading.Lock()

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        """Around one piece of a part."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            with self.lock:
                self.parts[part] += time.perf_counter() - begin

    @property
    def whole(self) -> float:
        """Since the clock was made."""
        return time.perf_counter() - self.begin
