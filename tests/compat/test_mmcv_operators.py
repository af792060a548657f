import subprocess
import sys
from importlib import import_module

import pytest
import torch
import torchvision
from helpers import random_boxes

from frcnn_plugin.compat.mmcv_operators import TorchvisionOperators

served = pytest.mark.skipif(
    not isinstance(import_module('mmcv._ext'), TorchvisionOperators),
    reason='compiled mmcv serves its own')


def rois_of(num: int) -> torch.Tensor:
    image = torch.randint(2, (num, 1)).float()
    return torch.cat([image, random_boxes(num)], dim=1)


def test_all_of_mmdet_is_importable():
    import mmdet.apis  # noqa: F401
    from mmdet.registry import MODELS
    assert len(MODELS.module_dict) > 200


@pytest.mark.parametrize('aligned', [True, False])
def test_roi_align_and_its_gradient(aligned):
    from mmcv.ops import RoIAlign
    rois = rois_of(6)
    ours, peer = (torch.randn(2, 3, 8, 10, generator=torch.Generator().manual_seed(3))
                  .requires_grad_() for _ in range(2))
    a = RoIAlign((7, 5), 1 / 16, 0, aligned=aligned)(ours, rois)
    b = torchvision.ops.roi_align(peer, rois, (7, 5), 1 / 16, -1, aligned)
    torch.testing.assert_close(a, b)
    a.square().sum().backward()
    b.square().sum().backward()
    torch.testing.assert_close(ours.grad, peer.grad)


@served
def test_roi_pool_and_its_gradient():
    from mmcv.ops import RoIPool
    rois = rois_of(6)
    ours, peer = (torch.randn(2, 3, 8, 10, generator=torch.Generator().manual_seed(3))
                  .requires_grad_() for _ in range(2))
    a = RoIPool(7, 1 / 16)(ours, rois)
    b = torchvision.ops.roi_pool(peer, rois, 7, 1 / 16)
    torch.testing.assert_close(a, b)
    a.square().sum().backward()
    b.square().sum().backward()
    torch.testing.assert_close(ours.grad, peer.grad)


def test_nms():
    from mmcv.ops import nms
    boxes, scores = random_boxes(80), torch.rand(80)
    kept = nms(boxes, scores, 0.4)[1]
    assert torch.equal(kept, torchvision.ops.nms(boxes, scores, 0.4))


def test_nms_in_the_legacy_convention_counts_the_last_pixel():
    from mmcv.ops import nms
    boxes = torch.tensor([[0.0, 0, 9, 9], [0, 5, 9, 14]])  # IoU 1/3 with the +1
    scores = torch.tensor([0.9, 0.8])
    assert len(nms(boxes, scores, 0.32, offset=0)[1]) == 2
    assert len(nms(boxes, scores, 0.32, offset=1)[1]) == 1


@served
def test_an_operator_that_is_not_served_says_what_to_install():
    from mmcv.ops import deform_conv2d
    with pytest.raises(NotImplementedError, match=r'deform_conv_forward.*pip install'):
        deform_conv2d(torch.rand(1, 1, 4, 4), torch.zeros(1, 18, 4, 4),
                      torch.rand(1, 1, 3, 3), 1, 1, 1, 1, 1)


def test_without_mmcv_one_clear_line():
    code = ("import sys; sys.modules.update({'mmcv': None});"
            'import frcnn_plugin.registry')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode != 0
    assert ("components need mmcv and found none: `pip install"
            in done.stderr.splitlines()[-1])


@served
def test_max_pooling_in_roi_align_says_what_to_do():
    from mmcv.ops import RoIAlign
    with pytest.raises(NotImplementedError, match=r"'avg'.*pip install --no-"):
        RoIAlign(7, 1.0, pool_mode='max')(torch.rand(1, 1, 8, 8), rois_of(1) * 0)
