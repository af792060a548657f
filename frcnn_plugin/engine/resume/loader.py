"""Batches that depend on the seed and on their position in the run only."""

import logging
from collections.abc import Iterator
from itertools import count
from multiprocessing import RawArray

import numpy as np
import torch
from mmengine.logging import print_log
from torch.utils.data import DataLoader, Dataset

from ...errors import BrokenSamplesError, SettingError, UserError
from .seeds import random_state_at


class ResumableLoader(DataLoader):
    """A data loader that can begin in the middle, without loading what comes before.

    It has the batches of ``loader``, which has not been iterated over yet, in the same
    order. Its random augmentations are the same with any number of workers.
    ``position`` is the seed of the run and the rank of this process; ``max_broken`` is
    that of :class:`ReproducibleDataset`.
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
            empty = True
            for batch in self:
                yield batch
                empty = False
            if empty:
                self.check_length()

    def check_length(self) -> None:
        """Look whether a pass has a batch.

        Raises:
            SettingError: If it has none.
        """
        if not len(self):
            raise SettingError(
                'train_dataloader.drop_last leaves no batch: there are '
                f'{len(self.dataset)} samples, fewer than batch_size')


class PositionedBatchSampler:
    """A batch sampler whose indices come with their position in the run.

    The position of an index is that of the loader, the epoch, the number of the batch,
    and the index's place in it.
    """

    def __init__(self, batch_sampler, position: tuple[int, ...]) -> None:
        self.batch_sampler, self.position = batch_sampler, position
        self.sampler = self  # mmengine calls `sampler.set_epoch`
        self.epoch = self.num_to_skip = 0  # of the next batches

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


class ReproducibleDataset(Dataset):
    """Loads each sample with the random state of its position in the run.

    A sample that cannot be loaded is replaced by another one, drawn at random from the
    same position. All attributes are those of the data set inside it.

    Raises:
        BrokenSamplesError: If samples of more than ``max_broken`` different pictures,
            counted over all workers, fail, or all samples do.
    """

    def __init__(self, dataset: Dataset, max_broken: int = 10) -> None:
        self.__dict__.update(dataset=dataset, max_broken=max_broken,
                             broken=RawArray('b', len(dataset)))

    def __getitem__(self, item: tuple[int, tuple[int, ...]]):
        index, position = item
        for attempt in count():
            with random_state_at(*position, attempt):
                if attempt:
                    index = np.random.randint(len(self))
                try:
                    return self.dataset[index]
                except Exception as error:  # a transform may raise anything
                    self._count_broken(index, error)

    def _count_broken(self, index: int, error: Exception) -> None:
        text = ' '.join(str(error).split()) or type(error).__name__
        if not isinstance(error, UserError):
            text = f'{self._picture(index)}: {type(error).__name__}: {text}'
        if not self.broken[index]:
            self.broken[index] = 1
            print_log(f'skipped {text}', logger='current', level=logging.WARNING)
        number = len({self._picture(place) for place, broken in enumerate(self.broken)
                      if broken})  # of several samples of one picture one counts
        none_left = sum(self.broken) == len(self)
        if number > self.max_broken or none_left:
            limit = (f'more than train_cfg.max_broken={self.max_broken}'
                     if number > self.max_broken else 'and there is no other')
            raise BrokenSamplesError(f'{text}; this is broken sample number {number}, '
                                     f'{limit}') from error

    def _picture(self, index: int) -> str:
        try:
            return self.dataset.get_data_info(index)['img_path']
        except Exception:  # a data set of another kind, or broken itself
            return f'sample {index}'

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str):
        if name.startswith('__'):  # Python looks for these while it is being unpickled
            raise AttributeError(name)
        return getattr(self.__dict__['dataset'], name)

    def __setattr__(self, name: str, value) -> None:
        setattr(self.dataset, name, value)
