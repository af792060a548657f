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
    from mmcv.ops import softmax_focal_loss
    with pytest.raises(NotImplementedError,
                       match=r'softmax_focal_loss_forward.*pip install'):
        softmax_focal_loss(torch.rand(4, 3), torch.zeros(4, dtype=torch.long))


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


@served
@pytest.mark.parametrize('modulated', [False, True])
@pytest.mark.parametrize('groups', [1, 2])
def test_deformable_convolution_and_its_gradients(modulated, groups):
    from mmcv.ops import DeformConv2d, ModulatedDeformConv2d
    kind = ModulatedDeformConv2d if modulated else DeformConv2d
    conv = kind(4, 6, (3, 5), stride=(1, 2), padding=(2, 1), dilation=(2, 1),
                groups=groups, deform_groups=2, **dict(bias=True) if modulated else {})
    if modulated:
        torch.nn.init.normal_(conv.bias)
    height, width = 7, 5
    inputs = [torch.randn(2, 4, 7, 11), torch.randn(2, 2 * 2 * 15, height, width)]
    inputs += [torch.rand(2, 2 * 15, height, width)] * modulated
    ours, peers = ([each.clone().requires_grad_() for each in inputs] for _ in range(2))
    a = conv(*ours)
    weight = conv.weight.detach().clone().requires_grad_()
    b = torchvision.ops.deform_conv2d(
        peers[0], peers[1], weight, conv.bias.detach() if modulated else None, (1, 2),
        (2, 1), (2, 1), peers[2] if modulated else None)
    torch.testing.assert_close(a, b)
    a.square().sum().backward()
    b.square().sum().backward()
    for mine, theirs in zip([*ours, conv.weight], [*peers, weight], strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, atol=1e-4, rtol=1e-4)
    if modulated:
        torch.testing.assert_close(conv.bias.grad, 2 * a.detach().sum((0, 2, 3)))


@served
def test_deformable_convolution_without_offsets_is_a_convolution():
    from mmcv.ops import DeformConv2dPack
    conv, image = DeformConv2dPack(4, 6, 3, padding=1), torch.randn(2, 4, 8, 9)
    assert not conv.conv_offset.weight.any()
    torch.testing.assert_close(
        conv(image), torch.nn.functional.conv2d(image, conv.weight, padding=1))


@served
def test_a_backbone_with_deformable_stages_trains():
    from mmdet.models import ResNet
    for kind in ('DCN', 'DCNv2'):
        net = ResNet(50, dcn=dict(type=kind, deform_groups=1, fallback_on_stride=False),
                     stage_with_dcn=(False, True, True, True))
        sum(level.sum() for level in net(torch.randn(1, 3, 64, 64))).backward()
        assert net.layer3[0].conv2.conv_offset.weight.grad.isfinite().all()


@served
def test_offsets_for_more_places_than_there_are():
    """As mmcv's kernel reads them, which mmdet's DyHead relies on."""
    from mmcv.ops import modulated_deform_conv2d
    image, weight = torch.randn(2, 4, 4, 4), torch.randn(6, 4, 3, 3)
    offset, mask = (torch.rand(2, each, 8, 8, requires_grad=True) for each in (18, 9))
    found = modulated_deform_conv2d(image, offset, mask, weight, None, 1, 1, 1, 1, 1)
    first = [each.flatten(1)[:, :each.size(1) * 16].view(2, -1, 4, 4)
             for each in (offset, mask)]
    expected = torchvision.ops.deform_conv2d(
        image, first[0], weight, padding=1, mask=first[1])
    torch.testing.assert_close(found, expected)
    ours, theirs = (torch.autograd.grad(each.sum(), (offset, mask), retain_graph=True)
                    for each in (found, expected))
    torch.testing.assert_close(ours, theirs)
    by_pixels = [each.detach().to(memory_format=torch.channels_last).requires_grad_()
                 for each in (offset, mask)]
    modulated_deform_conv2d(image, *by_pixels, weight, None, 1, 1, 1, 1, 1
                            ).sum().backward()
    torch.testing.assert_close([each.grad for each in by_pixels], list(ours))


@served
@pytest.mark.parametrize('modulated', [False, True])
def test_deformable_convolution_in_bfloat16(modulated):
    from mmcv.ops import DeformConv2dPack, ModulatedDeformConv2dPack
    conv = (ModulatedDeformConv2dPack if modulated else DeformConv2dPack)(
        4, 6, 3, padding=1)
    image = torch.randn(2, 4, 8, 9, requires_grad=True)
    expected = conv(image)
    with torch.autocast('cpu', torch.bfloat16):
        found = conv(image)
    found.float().sum().backward()
    torch.testing.assert_close(found.float(), expected, atol=0.05, rtol=0.05)
    assert image.grad.isfinite().all() and conv.weight.grad.isfinite().all()


@served
def test_focal_loss_is_that_which_mmdet_computes_without_an_operator():
    from mmcv.ops import sigmoid_focal_loss
    from mmdet.models.losses.focal_loss import py_sigmoid_focal_loss
    target = torch.tensor([0, 2, 3, 1, 3])  # 3 is the background
    ours, theirs = (torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
                    .requires_grad_() for _ in range(2))
    a = sigmoid_focal_loss(ours, target, 2.0, 0.25, None, 'none')
    one_hot = torch.nn.functional.one_hot(target, 4)[:, :3]
    b = py_sigmoid_focal_loss(theirs, one_hot, None, 2.0, 0.25, 'none')
    torch.testing.assert_close(a, b)
    scale = torch.rand(5, 3)
    (a * scale).sum().backward()
    (b * scale).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)
    sure = torch.tensor([[30.0, -30.0, 30.0]], requires_grad=True)
    sigmoid_focal_loss(sure, torch.tensor([0]), 0.5, 0.25, None, 'sum').backward()
    assert sure.grad.isfinite().all()
    with pytest.raises(NotImplementedError, match=r'weight for each class.*install'):
        sigmoid_focal_loss(ours, target, 2.0, 0.25, torch.ones(3), 'none')
