"""What takes whose place, and what stays."""

import copy

import pytest
import torch
from helpers import make_samples, random_boxes, tiny_detector
from torch import nn

from frcnn_plugin.accelerate import AccelerateHook, for_inference, for_training
from frcnn_plugin.accelerate.c5_on_map import C5OnMap, DeferredRoIAlign
from frcnn_plugin.accelerate.matching import compare_in_blocks
from frcnn_plugin.accelerate.parts import keep_on_device, kernels_of_triton
from frcnn_plugin.accelerate.roi_align import PixelRoIAlign
from frcnn_plugin.accelerate.roi_pool import PixelRoIPool
from frcnn_plugin.accelerate.suppression import greedy_nms
from frcnn_plugin.ops import masked_nms
from frcnn_plugin.registry import MODELS, TASK_UTILS


def detector(kind: str, depth: int):
    cfg = tiny_detector()
    cfg.backbone.depth = cfg.roi_head.shared_head.depth = depth
    cfg.roi_head.bbox_roi_extractor.roi_layer = dict(type=kind, output_size=14)
    if depth >= 50:
        cfg.rpn_head.in_channels = cfg.roi_head.bbox_roi_extractor.out_channels = 1024
        cfg.roi_head.bbox_head.in_channels = 2048
    return MODELS.build(cfg)


@pytest.mark.parametrize(('kind', 'depth', 'extractor', 'head'), [
    ('RoIAlign', 50, DeferredRoIAlign, C5OnMap),
    ('RoIAlign', 18, PixelRoIAlign, None), ('RoIPool', 50, PixelRoIPool, None)])
def test_what_takes_whose_place(kind, depth, extractor, head):
    plain = detector(kind, depth)
    fast = for_training(copy.deepcopy(plain))
    roi, other = fast.roi_head, plain.roi_head
    assert type(roi.bbox_roi_extractor) is (extractor or type(other.bbox_roi_extractor))
    assert type(roi.shared_head) is (head or type(other.shared_head))
    assert roi.nms is fast.rpn_head.proposal_creator.nms is greedy_nms
    assert roi.target_sampler.compare is compare_in_blocks
    assert fast.rpn_head.target_sampler.compare is compare_in_blocks
    assert other.nms is masked_nms  # the other detector stays as it was
    assert list(fast.state_dict()) == list(plain.state_dict())


def test_once_is_enough():
    fast = for_training(detector('RoIAlign', 50))
    kinds = [type(part) for part in fast.modules()]
    assert [type(part) for part in for_training(fast).modules()] == kinds
    ready = for_inference(fast)  # from one that was made ready to train
    assert type(ready.roi_head.shared_head) is C5OnMap
    assert not any(isinstance(part, nn.BatchNorm2d) for part in ready.modules())


def test_a_copy_pools_with_its_own_extractor():
    fast = copy.deepcopy(for_training(detector('RoIAlign', 50)))
    pool = fast.roi_head.shared_head.pool_cells
    assert pool.__self__ is fast.roi_head.bbox_roi_extractor


def test_an_optimizer_goes_on_with_the_same_parameters():
    net = detector('RoIAlign', 18).train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for_training(net)
    held = {id(each) for each in optimizer.param_groups[0]['params']}
    assert {id(each) for each in net.parameters()} == held


@pytest.mark.parametrize('nested', [False, True])
def test_the_hook_of_a_test(nested):
    """Also for a detector inside another module, as in test-time augmentation."""
    class Runner:
        model = detector('RoIAlign', 18).eval()

    net = Runner.model
    if nested:
        Runner.model = nn.Sequential(net)
    images, samples = torch.randn(2, 3, 128, 160), make_samples((2, 3))
    with torch.no_grad():
        plain = net.predict(images, copy.deepcopy(samples))
        AccelerateHook().before_test(Runner)
        fast = net.predict(images, samples)
    assert type(net.roi_head.bbox_roi_extractor) is PixelRoIAlign
    for mine, other in zip(fast, plain, strict=True):
        torch.testing.assert_close(mine.pred_instances.scores,
                                   other.pred_instances.scores, atol=1e-4, rtol=0)


def test_a_model_without_weights():
    for_training(MODELS.build(dict(
        type='FasterRCNN', backbone=dict(type='IdentityBackbone'))))


def test_the_second_stage_stays_in_bfloat16():
    ready = for_inference(detector('RoIAlign', 50)).roi_head.shared_head
    feature = torch.randn(1, 1024, 8, 10).to(memory_format=torch.channels_last)
    region = feature, torch.tensor([[0, 5, 9, 100, 80], [0, 40, 20, 150, 120.0]])
    types = []
    for part in ready.modules():
        if isinstance(part, nn.Conv2d):
            part.register_forward_hook(lambda part, x, y: types.append(x[0].dtype))
    with torch.no_grad():
        expected = ready(region)
        types.clear()
        with torch.autocast('cpu', torch.bfloat16):
            found = ready(region)
    assert set(types) == {torch.bfloat16} and found.dtype == torch.bfloat16
    assert (found - expected).norm() < 0.02 * expected.norm()


def test_a_coder_that_copies_no_lists_decodes_the_same():
    coder = TASK_UTILS.build(dict(type='mmdet.DeltaXYWHBBoxCoder',
                                  target_stds=(0.1, 0.1, 0.2, 0.2)))
    boxes, deltas = random_boxes(9), torch.randn(9, 8)
    expected = coder.decode(boxes, deltas), coder.encode(boxes, boxes + 3)
    keep_on_device(coder, torch.device('cpu'))
    assert isinstance(coder.stds, torch.Tensor)
    found = coder.decode(boxes, deltas), coder.encode(boxes, boxes + 3)
    for mine, theirs in zip(found, expected, strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.skipif(torch.cuda.is_available(), reason='Triton can be used here')
@pytest.mark.parametrize(('capability', 'says'), [((6, 1), ''), ((9, 0), 'Triton')])
def test_where_triton_cannot_run_plain_kernels_do(monkeypatch, capability, says):
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda device: capability)
    texts = []
    monkeypatch.setattr('frcnn_plugin.accelerate.parts.print_log',
                        lambda text, **options: texts.append(text))
    found = kernels_of_triton.__wrapped__(torch.device('cuda'))
    assert found == (masked_nms, ()) and ''.join(texts).startswith(says)
    assert len(texts) == bool(says)
