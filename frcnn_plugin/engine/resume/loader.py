"""Batches that depend on the seed and on their place in the run, and on nothing else.

Comes in: a data loader. Goes out: one with the same batches in the same order, which
can begin anywhere, and whose random augmentations are the same with any number of
workers.
"""

from collections.abc import Iterator
from itertools import count

import torch
from torch.utils.data import DataLoader

from .dataset import SeededDataset


class ResumableLoader(DataLoader):
    """A loader that can begin in the middle, without loading what comes before.

    Args:
        loader: One that has not been iterated over yet.
        place: The seed of the run and the number of this process.
        max_broken: So many files may turn out to be broken.
    """

    def __init__(self, loader: DataLoader, place: tuple[int, ...],
                 max_broken: int = 10) -> None:
        super().__init__(
            SeededDataset(loader.dataset, max_broken),
            batch_sampler=PlacedBatches(loader.batch_sampler, place),
            num_workers=loader.num_workers, collate_fn=loader.collate_fn,
            pin_memory=loader.pin_memory, timeout=loader.timeout,
            worker_init_fn=loader.worker_init_fn,
            multiprocessing_context=loader.multiprocessing_context,
            prefetch_factor=loader.prefetch_factor,
            persistent_workers=loader.persistent_workers,
            generator=torch.Generator())  # it draws; the program's own stays as it is

    def __iter__(self) -> Iterator:
        """One pass, or its rest; the workers start when the first batch is asked for.
        """
        yield from super().__iter__()

    def skip(self, batches: int) -> None:
        """Let so many batches out; they are drawn, not loaded."""
        self.batch_sampler.skip = batches

    def endless(self) -> Iterator:
        """Pass after pass, each in an order of its own if the sampler has one."""
        for epoch in count():
            self.batch_sampler.set_epoch(epoch)
            yield from self


class PlacedBatches:
    """The batches of a batch sampler; each index comes with its place in the run.

    Attributes:
        skip (int): How many of the next batches are let out.
        sampler (Sampler): That of the batch sampler, where mmengine looks for it.
    """

    def __init__(self, batches, place: tuple[int, ...]) -> None:
        self.batches, self.place = batches, place
        self.epoch = self.skip = 0

    @property
    def sampler(self) -> 'PlacedBatches':
        """What is told of a new epoch."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """A new pass begins."""
        self.epoch = epoch
        inner = getattr(self.batches, 'sampler', None)
        if hasattr(inner, 'set_epoch'):
            inner.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[tuple[int, tuple[int, ...]]]]:
        pass_ = (*self.place, self.epoch)
        for number, batch in enumerate(self.batches):
            if self.skip:
                self.skip -= 1
                continue
            yield [(index, (*pass_, number, slot)) for slot, index in enumerate(batch)]
