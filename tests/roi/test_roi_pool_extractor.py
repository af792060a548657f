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


@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('sampling_ratio', [0, 2])
@pytest.mark.parametrize('strides, factor', [
    ([16], None), ([4, 8, 16, 32], None), ([4, 8, 16, 32], 1.5)])
def test_equals_mmdets_extractor(strides, factor, sampling_ratio, aligned):
    layer = dict(ALIGN, sampling_ratio=sampling_ratio, aligned=aligned)
    options = dict(roi_layer=layer, out_channels=8, featmap_strides=strides)
    ours, peer = RoIPoolExtractor(**options), SingleRoIExtractor(**options)
    feats = [torch.randn(2, 8, 640 // s, 640 // s) for s in strides]
    rois = rois_of(40, 640)
    rois[:6, 1:] = torch.tensor([  # along the borders of the image
        [0, 0, 640, 640], [0, 0, 30, 640], [600, 0, 640, 30], [0, 610, 640, 640],
        [630, 630, 640, 640], [0, 0, 9, 9.0]])
    assert ours.num_inputs == peer.num_inputs
    torch.testing.assert_close(ours(feats, rois, factor), peer(feats, rois, factor),
                               rtol=1e-4, atol=1e-5)


def test_gradients_of_levels_equal_those_of_each_alone():
    strides = [8, 16, 32]
    layer = dict(ALIGN, sampling_ratio=2)
    extractor = RoIPoolExtractor(layer, 4, strides)
    feats = [torch.randn(2, 4, 320 // s, 320 // s, requires_grad=True)
             for s in strides]
    rois = rois_of(30, 320)
    levels = map_roi_levels(rois[:, 1:], 3, 56)
    weights = torch.randn(30, 4, 7, 7)
    (extractor(feats, rois) * weights).sum().backward()
    for level, (feature, stride) in enumerate(zip(feats, strides, strict=True)):
        alone = feature.detach().requires_grad_()
        here = levels == level
        pooled = RoIPoolExtractor(layer, 4, [stride])([alone], rois[here])
        (pooled * weights[here]).sum().backward()
        torch.testing.assert_close(feature.grad, alone.grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('kind', ['RoIPool', 'RoIAlign'])
def test_each_region_is_pooled_once(monkeypatch, kind):
    extractor = RoIPoolExtractor(dict(type=kind, output_size=7), 4, [4, 8, 16])
    pooled, pool = [], extractor.pool
    monkeypatch.setattr(extractor, 'pool', lambda feature, rois, *args, **kwargs: (
        pooled.append(len(rois)), pool(feature, rois, *args, **kwargs))[1])
    extractor([torch.randn(2, 4, 160 // s, 160 // s) for s in (4, 8, 16)], rois_of(20))
    assert pooled == [20]


def test_enlarged_regions_cost_samples_on_their_own_level_only(monkeypatch):
    extractor = RoIPoolExtractor(ALIGN, 4, [4, 8, 16], roi_scale_factor=1.5)
    areas, pool = [], extractor.pool
    monkeypatch.setattr(extractor, 'pool', lambda feature, rois, *args, **kwargs: (
        areas.append((rois[:, 3:] - rois[:, 1:3]).prod(1)),
        pool(feature, rois, *args, **kwargs))[1])
    extractor([torch.randn(2, 4, 160 // s, 160 // s) for s in (4, 8, 16)], rois_of(20))
    assert ((torch.stack(areas) > 0).sum(0) == 1).all()


def test_pooling_the_maxima_of_levels_equals_each_alone():
    layer, strides = dict(type='RoIPool', output_size=7), [4, 8, 16]
    feats = [torch.randn(2, 4, 320 // s, 320 // s) for s in strides]
    rois = rois_of(30, 320)
    rois[0, 1:] = torch.tensor([0, 0, 320, 320])
    found = RoIPoolExtractor(layer, 4, strides)(feats, rois)
    levels = map_roi_levels(rois[:, 1:], 3, 56)
    for level, stride in enumerate(strides):
        here = levels == level
        assert torch.equal(found[here], RoIPoolExtractor(layer, 4, [stride])(
            [feats[level]], rois[here]))


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
