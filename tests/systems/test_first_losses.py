"""From scratch nothing is known yet: ln 2 for objectness, ln 21 for 20 classes."""

import math

import pytest
import torch
from helpers import make_samples, random_boxes
from mmengine.structures import InstanceData
from systems.system import build, from_scratch

SIZE = (256, 320)
CONFIGS = ['frcnn_r50_c4_voc', 'frcnn_r50_c4_fc_voc', 'frcnn_r50_fpn_cls_voc',
           'frcnn_vgg16_voc', 'frcnn_vgg16_legacy_voc', 'frcnn_r50_fpn_voc',
           'fast_rcnn_r50_c4_voc', 'rcnn_r50_voc']


@pytest.mark.parametrize('name', CONFIGS)
def test_within_five_percent(repo, name):
    cfg = from_scratch(repo, name)
    cfg.model.roi_head.target_sampler.num = 16
    if name == 'rcnn_r50_voc':
        cfg.model.roi_head.bbox_roi_extractor.roi_layer.output_size = 64
    model = build(cfg).train()
    samples = make_samples((4, 3), 20, size=SIZE)
    for sample in samples:
        sample.proposals = InstanceData(bboxes=random_boxes(40, SIZE[1], SIZE[0]))
    with torch.no_grad():
        losses = model(torch.randn(2, 3, *SIZE), samples, 'loss')
    assert losses['loss_cls'].item() == pytest.approx(math.log(21), rel=0.05)
    if model.with_rpn:
        assert losses['loss_rpn_cls'].item() == pytest.approx(math.log(2), rel=0.05)
