"""A detector made ready to detect says what it said before."""

import copy
import shutil

import pytest
import torch
from helpers import make_samples, tiny_detector
from torch import nn
from torch._inductor.config import patch

from frcnn_plugin.accelerate import for_inference
from frcnn_plugin.registry import MODELS


def detector(compile: bool) -> nn.Module:
    """With statistics that are not those of a new network.

    To be compiled, which takes a second or two for each kind of layer, one stage of
    ResNet-50 leads to C5.
    """
    cfg = tiny_detector()
    if compile:
        cfg.backbone = dict(type='mmdet.ResNet', depth=50, num_stages=1, strides=(1,),
                            dilations=(1,), out_indices=(0,), norm_eval=True)
        cfg.rpn_head.anchor_generator.strides = [4]
        cfg.roi_head.bbox_roi_extractor.featmap_strides = [4]
    cfg.roi_head.bbox_roi_extractor.roi_layer = dict(type='RoIAlign', output_size=14)
    net = MODELS.build(cfg).eval()
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.uniform_(-0.2, 0.2)
            norm.running_var.uniform_(0.5, 2)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
    return net


@pytest.mark.parametrize('compile', [False, pytest.param(True, marks=[
    pytest.mark.long, pytest.mark.skipif(
        shutil.which('g++') is None, reason='a CPU needs a C++ compiler')])])
@patch({'cpp.vec_isa_ok': True})  # else torch starts processes to ask
def test_detections_are_the_same(compile):
    net = detector(compile)
    images, samples = torch.randn(2, 3, 128, 160), make_samples((2, 3))
    ready = for_inference(copy.deepcopy(net), compile=compile)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in ready.modules())
    assert not any(parameter.requires_grad for parameter in ready.parameters())
    with torch.no_grad():
        expected = net.predict(images, copy.deepcopy(samples))
        found = ready.predict(images, samples)
    for mine, other in zip(found, expected, strict=True):
        mine, other = mine.pred_instances, other.pred_instances
        assert len(other) > 0
        torch.testing.assert_close(mine.scores, other.scores, atol=1e-4, rtol=0)
        torch.testing.assert_close(mine.bboxes, other.bboxes, atol=1e-2, rtol=0)
        assert torch.equal(mine.labels, other.labels)


def test_a_head_of_mmdet_without_a_shared_one():
    cfg = tiny_detector()
    cfg.roi_head = dict(
        type='mmdet.StandardRoIHead', bbox_roi_extractor=dict(
            type='mmdet.SingleRoIExtractor', out_channels=256, featmap_strides=[16],
            roi_layer=dict(type='RoIAlign', output_size=7)),
        bbox_head=dict(type='mmdet.Shared2FCBBoxHead', in_channels=256,
                       fc_out_channels=8, roi_feat_size=7, num_classes=3))
    net = MODELS.build(cfg)
    for_inference(net, compile=True)
    assert net.roi_head.bbox_head._compiled_call_impl is not None
