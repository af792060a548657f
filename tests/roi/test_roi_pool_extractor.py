import pytest
import torch
from helpers import random_boxes
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor

from frcnn_plugin.roi import RoIPoolExtractor
from frcnn_plugin.roi.roi_pool_extractor import map_roi_levels

ALIGN = dict(type='RoIAlign', output_size=7, sampling_ratio=0)


def rois_of(num: int, size: float = 160) -> torch.Tensor:
    image = torch.randint(2, (num, 1)).float()
    return torch.cat([image, random_boxes(num, size, size)], dim=1)


@pytest.mark.parametrize('strides, factor', [
    ([16], None), ([4, 8, 16, 32], None), ([4, 8, 16, 32], 1.5)])
def test_equals_mmdets_extractor(strides, factor):
    options = dict(roi_layer=ALIGN, out_channels=8, featmap_strides=strides)
    ours, peer = RoIPoolExtractor(**options), SingleRoIExtractor(**options)
    feats = [torch.randn(2, 8, 640 // s, 640 // s) for s in strides]
    rois = rois_of(40, 640)
    assert ours.num_inputs == peer.num_inputs
    torch.testing.assert_close(ours(feats, rois, factor), peer(feats, rois, factor),
                               rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('kind, size, channels', [
    ('RoIPool', 14, 1024), ('RoIPool', 7, 1024), ('RoIAlign', 7, 512)])
def test_shapes(kind, size, channels):
    """300 regions on a map of 50x50."""
    extractor = RoIPoolExtractor(
        dict(type=kind, output_size=size), channels, [16])
    pooled = extractor([torch.rand(2, channels, 50, 50)], rois_of(300))
    assert pooled.shape == (300, channels, size, size)


def test_levels_of_the_paper():
    """Equation 1 of the FPN paper: 224 pixels on the third level, half below."""
    sides = torch.tensor([10.0, 112, 224, 448, 2000])
    boxes = torch.stack([sides * 0, sides * 0, sides, sides], dim=1)
    assert map_roi_levels(boxes, 4, 56).tolist() == [0, 1, 2, 3, 3]


def test_half_precision_features_keep_their_type():
    extractor = RoIPoolExtractor(ALIGN, 4, [16])
    pooled = extractor([torch.rand(2, 4, 10, 10).bfloat16()], rois_of(3))
    assert pooled.dtype == torch.bfloat16


def test_wrong_layers_are_named():
    with pytest.raises(ValueError, match="'Crop', neither"):
        RoIPoolExtractor(dict(type='Crop', output_size=7), 4, [16])
    with pytest.raises(ValueError, match='has no'):
        RoIPoolExtractor(dict(type='RoIPool', output_size=7, sampling_ratio=2), 4, [16])
