"""Random numbers that depend on where in a run they are drawn, and on nothing before.

A position in the run is a few numbers, such as its seed, the process and the iteration.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def set_random_state(*position: int, gpu: bool = True) -> None:
    """Set the generators of Python, NumPy and torch, on GPUs if ``gpu``, to a position.

    Positions are non-negative integers; different ones give independent states.
    """
    first, second, low, high = np.random.SeedSequence(
        position).generate_state(4).tolist()
    random.seed(first)
    np.random.seed(second)
    set_torch = torch.manual_seed if gpu else torch.default_generator.manual_seed
    set_torch(high << 32 | low)


@contextmanager
def random_state_at(*position: int) -> Iterator[None]:
    """Set the generators of the CPU inside a block; afterwards they are as before."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    set_random_state(*position, gpu=False)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])
