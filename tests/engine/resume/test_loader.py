import random

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from torch.utils.data import BatchSampler, DataLoader, Dataset

from frcnn_plugin.engine.resume.loader import ReproducibleDataset, ResumableLoader
from frcnn_plugin.errors import BrokenSamplesError, SettingError


class Noise(Dataset):
    """Each sample is its index and a number of each generator; some can be broken."""

    def __init__(self, size: int = 10, broken: tuple[int, ...] = ()) -> None:
        self.size, self.broken, self.level = size, broken, 1

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> list[float]:
        if index in self.broken:
            raise OSError(f'image {index} is truncated')
        return [index, random.random(), np.random.rand(), torch.rand(1).item()]


def loader(sampler=InfiniteSampler, workers=0, dataset=None, **options):
    dataset = dataset or Noise()
    batches = BatchSampler(sampler(dataset, shuffle=True, seed=5), 3, drop_last=False)
    return ResumableLoader(
        DataLoader(dataset, batch_sampler=batches, num_workers=workers,
                   persistent_workers=workers > 0, collate_fn=list), (7, 0), **options)


def take(batches, number: int) -> list:
    return [next(batches) for _ in range(number)]


@pytest.mark.parametrize('sampler', [InfiniteSampler, DefaultSampler])
def test_it_begins_anywhere_and_with_any_number_of_workers(sampler):
    whole = take(loader(sampler).endless(), 9)  # more than two passes
    assert whole[0] != whole[4]
    rest = loader(sampler, workers=2)
    rest.skip(5)
    assert take(rest.endless(), 4) == whole[5:]


def test_what_is_skipped_is_not_loaded():
    dataset = Noise()
    dataset.broken = range(10)  # nothing can be loaded
    batches = loader(DefaultSampler, dataset=dataset)
    batches.skip(4)
    assert list(batches) == [] and len(batches) == 4


def test_a_pass_has_an_order_of_its_own():
    batches = loader(DefaultSampler)
    orders = []
    for epoch in (0, 1, 0):
        batches.batch_sampler.set_epoch(epoch)
        orders.append(list(batches))
    assert orders[0] == orders[2] and orders[0] != orders[1]
    drawn = [[int(row[0]) for batch in order for row in batch] for order in orders]
    assert sorted(drawn[0]) == sorted(drawn[1]) == list(range(10))


class Tiles(Noise):
    """Five samples of each picture."""

    def get_data_info(self, index: int) -> dict:
        return dict(img_path=f'{index // 5}.jpg')


def test_samples_of_one_picture_count_once():
    dataset = Tiles(size=20, broken=tuple(range(5)))
    batches = loader(dataset=dataset, max_broken=1).endless()
    assert {row[0] for batch in take(batches, 40) for row in batch} == set(range(5, 20))
    dataset.broken = range(10)
    with pytest.raises(BrokenSamplesError, match='broken sample number 2, more than'):
        take(batches, 40)


def test_all_samples_of_few_pictures():
    batches = loader(dataset=Tiles(size=10, broken=tuple(range(10)))).endless()
    with pytest.raises(BrokenSamplesError, match='there is no other'):
        next(batches)


def test_the_program_draws_what_it_would_have_drawn():
    torch.manual_seed(3)
    random.seed(3)
    np.random.seed(3)
    expected = random.random(), np.random.rand(), torch.rand(1)
    torch.manual_seed(3)
    random.seed(3)
    np.random.seed(3)
    take(loader().endless(), 2)
    assert (random.random(), np.random.rand(), torch.rand(1)) == expected


def test_it_has_the_attributes_of_the_data_set():
    dataset = Noise()
    seeded = ReproducibleDataset(dataset)
    seeded.level = 2
    assert dataset.level == seeded.level == 2 and len(seeded) == 10
    with pytest.raises(AttributeError):
        _ = seeded.nothing


def test_a_broken_sample_is_named_and_another_one_taken(capture_log):
    seeded = ReproducibleDataset(Noise(broken=(4,)), max_broken=1)
    first = seeded[4, (1, 2)]
    assert first[0] != 4 and first == seeded[4, (1, 2)]  # the same other one
    assert capture_log().count('skipped sample 4: OSError: image 4 is truncated') == 1


@pytest.mark.parametrize('workers', [0, 2])
def test_too_many_broken_samples(workers):
    batches = loader(workers=workers, dataset=Noise(broken=(1, 2, 3)), max_broken=2)
    with pytest.raises(BrokenSamplesError, match=r'sample number 3, more.*_broken=2'):
        take(batches.endless(), 20)


def test_no_sample_can_be_used():
    seeded = ReproducibleDataset(Noise(broken=range(10)), max_broken=100)
    with pytest.raises(BrokenSamplesError, match='and there is no other'):
        _ = seeded[4, (1, 2)]


def test_it_has_the_settings_of_the_loader():
    plain = DataLoader(Noise(), 3, num_workers=1, pin_memory=True, prefetch_factor=5,
                       timeout=7, persistent_workers=True, collate_fn=list,
                       worker_init_fn=print)
    found = ResumableLoader(plain, (7, 0))
    for name in ('num_workers', 'pin_memory', 'prefetch_factor', 'timeout',
                 'persistent_workers', 'collate_fn', 'worker_init_fn'):
        assert getattr(found, name) == getattr(plain, name), name


def test_fewer_samples_than_a_batch_that_is_dropped():
    batches = BatchSampler(DefaultSampler(Noise(3), shuffle=False), 4, drop_last=True)
    short = ResumableLoader(DataLoader(Noise(3), batch_sampler=batches), (7, 0))
    with pytest.raises(SettingError, match='3 samples, fewer than batch_size'):
        next(short.endless())
    with pytest.raises(SettingError):
        short.check_length()
