import cv2
import numpy as np
import pytest
import torch

from frcnn_plugin.backbones import IdentityBackbone
from frcnn_plugin.roi import RegionCNN, RoIPoolExtractor

PARTS = dict(backbone=dict(type='ResNetC4', depth=18),
             head=dict(type='ResNetC5Head', depth=18))


def test_a_region_is_warped_as_opencv_does_it():
    """R-CNN's warp: any shape to a square, by interpolation between pixels."""
    image = np.random.default_rng(0).random((40, 60, 3), dtype=np.float32)
    x1, y1, x2, y2 = 12, 6, 28, 30
    expected = cv2.resize(image[y1:y2, x1:x2], (48, 48),
                          interpolation=cv2.INTER_LINEAR)
    warp = RoIPoolExtractor(dict(type='RoIAlign', output_size=48), 3, [1])
    (pixels,) = IdentityBackbone()(torch.from_numpy(image).permute(2, 0, 1)[None])
    rois = torch.tensor([[0.0, x1, y1, x2, y2]])
    found = warp((pixels,), rois)[0].permute(1, 2, 0).numpy()
    # at the border OpenCV repeats the region's last pixel, we see the next one outside
    np.testing.assert_allclose(found[2:-2, 2:-2], expected[2:-2, 2:-2], atol=1e-5)


def test_context_of_16_pixels_on_each_side():
    """A region fills the middle 192 of the 224 pixels."""
    image = torch.zeros(1, 3, 100, 100)
    image[..., 30:50, 20:60] = 1
    warp = RoIPoolExtractor(dict(type='RoIAlign', output_size=224), 3, [1],
                            roi_scale_factor=224 / 192)
    found = warp((image,), torch.tensor([[0.0, 20, 30, 60, 50]]))[0, 0]
    assert (found[24:200, 24:200] > 0.999).all()
    assert found[:8].max() < 0.5 and found[:, -8:].max() < 0.5
    assert found.mean().item() == pytest.approx((192 / 224)**2, rel=0.02)


def test_regions_run_in_chunks_in_test_and_at_once_in_training():
    model = RegionCNN(**PARTS, chunk=3)
    calls = []
    model.backbone.register_forward_pre_hook(
        lambda m, args: calls.append(len(args[0])))
    regions = torch.randn(7, 3, 32, 32)
    whole = model(regions)
    assert calls == [7] and whole.shape == (7, 512, 1, 1)
    model.eval()
    with torch.no_grad():
        expected = model._run(regions)
        calls.clear()
        torch.testing.assert_close(model(regions), expected, atol=1e-5, rtol=1e-4)
    assert calls == [3, 3, 1]
