"""Batches that depend on the seed and on their position in the run only."""

from collections.abc import Iterator
from itertools import count

import torch
from torch.utils.data import DataLoader

from .dataset import ReproducibleDataset


class ResumableLoader(DataLoader):
    """A data loader that can begin in the middle, without loading what comes before.

    It has the batches of another loader in the same order. Its random augmentations are
    the same with any number of workers.

    Args:
        loader: One that has not been iterated over yet.
        position: The seed of the run and the rank of this process.
        max_broken: How many samples may fail, see :class:`ReproducibleDataset`.
    """

    def __init__(self, loader: DataLoader, position: tuple[int, ...],
                 max_broken: int = 10) -> None:
        super().__init__(
            ReproducibleDataset(loader.dataset, max_broken),
            batch_sampler=PositionedBatchSampler(loader.batch_sampler, position),
            num_workers=loader.num_workers, collate_fn=loader.collate_fn,
            pin_memory=loader.pin_memory, timeout=loader.timeout,
            worker_init_fn=loader.worker_init_fn,
            multiprocessing_context=loader.multiprocessing_context,
            prefetch_factor=loader.prefetch_factor,
            persistent_workers=loader.persistent_workers,
            generator=torch.Generator())  # leaves torch's global generator alone

    def __iter__(self) -> Iterator:
        """What is left of a pass; the workers start with its first batch."""
        yield from super().__iter__()

    def skip(self, num_batches: int) -> None:
        """Skip the next batches: their indices are drawn, their samples not loaded."""
        self.batch_sampler.num_to_skip = num_batches

    def endless(self) -> Iterator:
        """Pass after pass, each in an order of its own if the sampler has one."""
        for epoch in count():
            self.batch_sampler.set_epoch(epoch)
            yield from self


class PositionedBatchSampler:
    """A batch sampler whose indices come with their position in the run.

    The position of an index is that of the loader, the epoch, the number of the batch,
    and the index's place in it.

    Args:
        batch_sampler: Yields lists of indices.
        position: The seed of the run and the rank of this process.

    Attributes:
        num_to_skip (int): How many of the next batches to skip.
        sampler (PositionedBatchSampler): Itself; mmengine calls ``sampler.set_epoch``.
    """

    def __init__(self, batch_sampler, position: tuple[int, ...]) -> None:
        self.batch_sampler, self.position = batch_sampler, position
        self.epoch = self.num_to_skip = 0

    @property
    def sampler(self) -> 'PositionedBatchSampler':
        return self

    def set_epoch(self, epoch: int) -> None:
        """Begin a new pass."""
        self.epoch = epoch
        inner = getattr(self.batch_sampler, 'sampler', None)
        if hasattr(inner, 'set_epoch'):
            inner.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[list[tuple[int, tuple[int, ...]]]]:
        epoch = (*self.position, self.epoch)
        for number, batch in enumerate(self.batch_sampler):
            if self.num_to_skip:
                self.num_to_skip -= 1
                continue
            yield [(index, (*epoch, number, slot)) for slot, index in enumerate(batch)]
