import pytest
import torch
from mmdet.models.task_modules import AnchorGenerator as MMDetAnchorGenerator
from torchvision.models.detection.anchor_utils import (
    AnchorGenerator as TorchvisionAnchorGenerator,
)
from torchvision.models.detection.image_list import ImageList

from frcnn_plugin.rpn import AnchorGenerator
from frcnn_plugin.rpn.anchor_generator import valid_mask

RATIOS = [0.5, 1.0, 2.0]
FPN_STRIDES = [4, 8, 16, 32, 64]
FPN_SIZES = [(192, 336), (96, 168), (48, 84), (24, 42), (12, 21)]


@pytest.fixture
def classic():
    return AnchorGenerator(strides=[16], ratios=RATIOS, scales=[8, 16, 32],
                           style='classic')


@pytest.mark.parametrize('size, count', [((50, 50), 22500), ((38, 50), 17100)])
def test_published_counts_of_one_level(classic, size, count):
    """22500 anchors for 800x800; 17100 for 800x600, whose map is 50x38."""
    assert classic.num_base_priors == [9]
    (anchors,) = classic.grid_priors([size])
    assert anchors.shape == (count, 4)


def test_five_levels_equal_torchvisions_bit_for_bit():
    """257796 anchors of a 768x1344 image."""
    ours = AnchorGenerator(strides=FPN_STRIDES, ratios=RATIOS, scales=[8],
                           style='torchvision')
    peer = TorchvisionAnchorGenerator(
        sizes=tuple((8 * s,) for s in FPN_STRIDES), aspect_ratios=(tuple(RATIOS),) * 5)
    images = ImageList(torch.zeros(1, 3, 768, 1344), [(768, 1344)])
    (expected,) = peer(images, [torch.zeros(1, 1, *size) for size in FPN_SIZES])
    anchors = torch.cat(ours.grid_priors(FPN_SIZES))
    assert len(anchors) == 257796
    assert torch.equal(anchors, expected)


@pytest.mark.parametrize('options', [
    dict(strides=FPN_STRIDES, scales=[8]),
    dict(strides=[16], scales=[2, 4, 8, 16, 32]),
    dict(strides=[8, 16], scales=[3.3], center_offset=0.5),
    dict(strides=[(8, 16)], scales=[4], base_sizes=[10])])
def test_equals_mmdets_bit_for_bit(options):
    ours = AnchorGenerator(ratios=RATIOS, **options)
    peer = MMDetAnchorGenerator(**{'ratios': RATIOS, 'center_offset': 0.0, **options})
    sizes = [(7, 9)] * len(options['strides'])
    assert ours.num_base_priors == peer.num_base_priors
    assert ours.strides == peer.strides
    for a, b in zip(ours.grid_priors(sizes), peer.grid_priors(sizes, device='cpu'),
                    strict=True):
        assert torch.equal(a, b)
    shape = (13 * 8, 100, 3)
    for a, b in zip(ours.valid_flags(sizes, shape),
                    peer.valid_flags(sizes, shape, device='cpu'), strict=True):
        assert torch.equal(a, b)


def test_order_is_row_column_anchor(classic):
    (anchors,) = classic.grid_priors([(2, 3)])
    base = classic.base_anchors[0]
    shift = torch.tensor([32.0, 16, 32, 16])
    assert torch.equal(anchors[(1 * 3 + 2) * 9:(1 * 3 + 3) * 9], base + shift)


def test_valid_mask_knows_each_images_size(classic):
    sizes = torch.tensor([[64.0, 64.0], [17.0, 33.0]])
    mask = valid_mask(classic, [(4, 4)], sizes)
    assert mask.sum(1).tolist() == [16 * 9, 2 * 3 * 9]


def test_valid_mask_at_fitted_strides():
    """8 rows for 480 pixels are 60 apart: the last begins at 420, not at 448."""
    generator = AnchorGenerator([8, 64], RATIOS, [8], fit_strides=True)
    mask = valid_mask(generator, [(60, 60), (8, 8)], torch.tensor([[430.0, 480.0]]))
    assert mask[0, -8 * 8 * 3:].all()


def test_wrong_settings_are_named():
    with pytest.raises(ValueError, match="style 'new'"):
        AnchorGenerator([16], RATIOS, [8], style='new')
    with pytest.raises(ValueError, match='centre of its own'):
        AnchorGenerator([16], RATIOS, [8], style='classic', center_offset=0.5)
    with pytest.raises(ValueError, match='1 strides but 2 feature maps'):
        AnchorGenerator([16], RATIOS, [8]).grid_priors([(1, 1), (2, 2)])
