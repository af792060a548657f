"""Random numbers that depend on where in a run they are drawn, and on nothing before.

Comes in: a few numbers that name a place, such as seed, process and iteration. Goes
out: the generators of Python, NumPy and torch, set to that place. A run that was
stopped has then no random state to restore.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def set_random_state(*place: int, gpu: bool = True) -> None:
    """Set all generators.

    Args:
        *place: Non-negative numbers; other numbers give other, independent states.
        gpu: Whether those of GPUs are set as well.
    """
    first, second, low, high = np.random.SeedSequence(place).generate_state(4).tolist()
    random.seed(first)
    np.random.seed(second)
    set_torch = torch.manual_seed if gpu else torch.default_generator.manual_seed
    set_torch(high << 32 | low)


@contextmanager
def random_state_of(*place: int) -> Iterator[None]:
    """The generators of the CPU at a place; afterwards they are what they were."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    set_random_state(*place, gpu=False)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])
