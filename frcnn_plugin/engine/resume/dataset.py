"""A data set whose samples depend on their position in the run only."""

import logging
from itertools import count
from multiprocessing import RawArray

import numpy as np
from mmengine.logging import print_log
from torch.utils.data import Dataset

from ...errors import BrokenSamplesError, UserError
from .seeds import random_state_at


class ReproducibleDataset(Dataset):
    """Loads each sample with the random state of its position in the run.

    A sample that cannot be loaded is replaced by another one, drawn at random from the
    same position. All attributes are those of the data set inside it.

    Args:
        dataset: The data set.
        max_broken: How many different samples may fail, counted over all workers.

    Raises:
        BrokenSamplesError: If more of them fail, or all.
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
            text = f'{self._name(index)}: {type(error).__name__}: {text}'
        if not self.broken[index]:
            self.broken[index] = 1
            print_log(f'skipped {text}', logger='current', level=logging.WARNING)
        number = sum(self.broken)
        if number > self.max_broken or number == len(self):
            limit = (f'more than train_cfg.max_broken={self.max_broken}'
                     if number > self.max_broken else 'and there is no other')
            raise BrokenSamplesError(f'{text}; this is broken sample number {number}, '
                                     f'{limit}') from error

    def _name(self, index: int) -> str:
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
