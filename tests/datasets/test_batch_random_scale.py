"""Whole batches of another size, with their boxes."""

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.logging import MessageHub
from mmengine.structures import InstanceData

from frcnn_plugin.datasets.batch_random_scale import SHARE_KEY, BatchRandomScale


def batch(height: int, width: int):
    """Two images, each with a bright rectangle and its box; half of one is padding."""
    images, samples = torch.zeros(2, 3, height, width), []
    for image, own in zip(images, (width, width // 2), strict=True):
        image[:, height // 4:height // 2, own // 4:own // 2] = 1
        box = torch.tensor([[own / 4, height / 4, own / 2, height / 2]])
        samples.append(DetDataSample(
            metainfo=dict(img_shape=(height, own), ori_shape=(height, own),
                          scale_factor=(1.0, 1.0), batch_input_shape=(height, width)),
            gt_instances=InstanceData(bboxes=box, labels=torch.zeros(1)),
            ignored_instances=InstanceData(bboxes=box.clone())))
    return images, samples


@pytest.mark.parametrize(('height', 'width'), [(96, 128), (128, 96)])
@pytest.mark.parametrize('scale', [0.5, 1.0, 2.0])
def test_boxes_go_with_their_pictures(height, width, scale):
    images, samples = BatchRandomScale((scale, scale))(*batch(height, width))
    new = images.shape[2:]
    # the nearest multiples of 32: 96 -> 48 -> 64 (a tie of round is to the even one)
    assert all(side % 32 == 0 for side in new)
    assert all(abs(side - old * scale) <= 16 for side, old in
               zip(new, (height, width), strict=True))
    for image, sample in zip(images, samples, strict=True):
        (box,) = sample.gt_instances.bboxes.tolist()
        assert sample.ignored_instances.bboxes.tolist() == [box]
        rows = torch.where(image[0].amax(1) > 0.5)[0]
        columns = torch.where(image[0].amax(0) > 0.5)[0]
        seen = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        torch.testing.assert_close(torch.tensor(seen).float(), torch.tensor(box),
                                   rtol=0, atol=1.0)
        assert sample.batch_input_shape == tuple(new)
        down, across = sample.img_shape[0] / new[0], sample.img_shape[1] / new[1]
        assert down == 1 and across == pytest.approx(
            sample.ori_shape[1] / width, abs=0.01)
        assert sample.scale_factor == (new[1] / width, new[0] / height)


def test_every_batch_has_a_size_of_its_own():
    torch.manual_seed(0)
    augment = BatchRandomScale((0.5, 1.5))
    sizes = {tuple(augment(*batch(256, 192))[0].shape[2:]) for _ in range(40)}
    assert len(sizes) > 6
    assert {side for size in sizes for side in size} <= set(range(96, 385, 32))
    torch.manual_seed(0)
    again = {tuple(augment(*batch(256, 192))[0].shape[2:]) for _ in range(40)}
    assert again == sizes


@pytest.mark.parametrize(('info', 'share'), [
    ({}, 0.0), (dict(iter=30, max_iters=40), 0.75),
    ({'iter': 30, 'max_iters': 40, SHARE_KEY: 0.5}, 0.5)])
def test_batches_grow_with_the_training(info, share, monkeypatch):
    hub = MessageHub.get_current_instance()
    monkeypatch.setattr(hub, '_runtime_info', {**info})
    augment = BatchRandomScale((0.5, 0.75), (1.0, 1.5), divisor=1)
    sides = [augment(*batch(256, 256))[0].shape[2] / 256 for _ in range(100)]
    low, high = 0.5 + 0.5 * share, 0.75 + 0.75 * share
    assert low - 0.01 <= min(sides) < low + 0.05
    assert high - 0.05 < max(sides) <= high + 0.01
