"""What ``torch.compile`` and ``torch.export`` see of the detector."""

import pytest
import torch
import torch._dynamo
from helpers import make_samples, tiny_detector
from torch._dynamo.testing import CompileCounter, CompileCounterWithBackend

from frcnn_plugin.accelerate import for_inference, for_training
from frcnn_plugin.export import GraphDetector
from frcnn_plugin.mmdet_bridge.lists import image_sizes, pack_ground_truth
from frcnn_plugin.registry import MODELS

IMAGES = torch.randn(2, 3, 128, 160, generator=torch.Generator().manual_seed(0))
SIZES = torch.tensor([[128.0, 160.0], [120.0, 150.0]])


@pytest.fixture(autouse=True)
def nothing_compiled():
    torch._dynamo.reset()


def detector(roi_layer: str = 'RoIAlign', depth: int = 18):
    cfg = tiny_detector()
    cfg.backbone.depth = cfg.roi_head.shared_head.depth = depth
    cfg.roi_head.bbox_roi_extractor.roi_layer = dict(type=roi_layer, output_size=14)
    if depth >= 50:  # blocks with 1x1 convolutions, which may come before the pooling
        cfg.rpn_head.in_channels = cfg.roi_head.bbox_roi_extractor.out_channels = 1024
        cfg.roi_head.bbox_head.in_channels = 2048
    return MODELS.build(cfg).eval()


def ground_truth(*counts: int):
    return pack_ground_truth([sample.gt_instances for sample in make_samples(counts)])


@pytest.mark.parametrize(('roi_layer', 'depth', 'fast'), [
    pytest.param('RoIAlign', 50, True, marks=pytest.mark.long),
    ('RoIAlign', 18, False),
    pytest.param('RoIPool', 18, False, marks=pytest.mark.long)])
def test_inference_is_one_graph(roi_layer, depth, fast):
    net = detector(roi_layer, depth)
    if fast:
        for_inference(net)
    with torch.no_grad():
        counter = CompileCounterWithBackend('aot_eager')
        compiled = torch.compile(net.detect, fullgraph=True, backend=counter)
        for mine, expected in zip(compiled(IMAGES, SIZES), net.detect(IMAGES, SIZES),
                                  strict=True):
            torch.testing.assert_close(mine, expected)
    assert counter.frame_count == 1


def test_inference_can_be_exported():
    graph = GraphDetector(detector())
    with torch.no_grad():
        program = torch.export.export(graph, (IMAGES[:1],))
        other = IMAGES[:1].flip(3)
        for mine, expected in zip(program.module()(other), graph(other), strict=True):
            torch.testing.assert_close(mine, expected)


@pytest.mark.long
@pytest.mark.parametrize(('fast', 'depth'), [(True, 50), (True, 18), (False, 18)])
def test_training_is_one_graph(fast, depth):
    net = detector(depth=depth).train()
    if fast:
        for_training(net)
    explained = torch._dynamo.explain(net.losses)(IMAGES, SIZES, ground_truth(4, 7))
    assert (explained.graph_count, explained.graph_break_count) == (1, 0)


@pytest.mark.long
def test_mmdets_protocol_breaks_at_the_seams_only():
    net, samples = detector().train(), make_samples((4, 7))
    explained = torch._dynamo.explain(net)(IMAGES, samples, mode='loss')
    assert explained.graph_break_count <= 2


@pytest.mark.long
def test_other_counts_of_boxes_need_no_other_graph():
    counter = CompileCounter()
    losses = torch.compile(detector().train().losses, backend=counter)
    for counts in ((4, 7), (2, 3), (9, 0)):
        losses(IMAGES, SIZES, ground_truth(*counts))
    assert counter.frame_count == 1


def test_the_same_as_through_mmdets_protocol():
    net, samples = detector(), make_samples((4, 7))
    with torch.no_grad():
        sizes = image_sizes([sample.metainfo for sample in samples], 'cpu')
        dense = net.detect(IMAGES, sizes)
        found = net.predict(IMAGES, samples, rescale=False)
    for index, sample in enumerate(found):
        torch.testing.assert_close(dense.bboxes[index][dense.mask[index]],
                                   sample.pred_instances.bboxes)


def test_heads_that_work_on_lists_are_refused():
    net = detector()
    net.roi_head = torch.nn.Identity()
    with pytest.raises(TypeError, match='Identity is not a head of frcnn_plugin'):
        GraphDetector(net)
