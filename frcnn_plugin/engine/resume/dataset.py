"""A data set seen from its place in a run: what is random, and what is broken.

Comes in: an index and its place. Goes out: the sample; in place of one that breaks,
another one.
"""

import logging
from itertools import count
from multiprocessing import RawArray

import numpy as np
from mmengine.logging import print_log
from torch.utils.data import Dataset

from ...errors import UserError
from .seeds import random_state_of


class SeededDataset(Dataset):
    """Transforms see a random state that their place names; broken files are skipped.

    It has the attributes of the data set inside it.

    Args:
        dataset: The data set.
        max_broken: So many of its samples may fail, counted over all workers.

    Raises:
        UserError: If more of them fail, or all.
    """

    def __init__(self, dataset: Dataset, max_broken: int = 10) -> None:
        self.__dict__.update(dataset=dataset, max_broken=max_broken,
                             broken=RawArray('b', len(dataset)))

    def __getitem__(self, placed: tuple[int, tuple[int, ...]]):
        index, place = placed
        for attempt in count():
            with random_state_of(*place, attempt):
                if attempt:
                    index = np.random.randint(len(self))
                try:
                    return self.dataset[index]
                except Exception as error:  # of whatever transform
                    self._skip(index, error)

    def _skip(self, index: int, error: Exception) -> None:
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
            raise UserError(
                f'{text}; this is sample {number} that can not be used, {limit}. '
                'frcnn check-dataset names all that is wrong with a data set'
            ) from error

    def _name(self, index: int) -> str:
        try:
            return self.dataset.get_data_info(index)['img_path']
        except Exception:  # a data set of another kind, or broken itself
            return f'sample {index}'

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str):
        if name.startswith('__'):  # of Python's own; none while it is being unpickled
            raise AttributeError(name)
        return getattr(self.__dict__['dataset'], name)

    def __setattr__(self, name: str, value) -> None:
        setattr(self.dataset, name, value)
