"""One training step, audited: what would make a GPU wait for the host?"""

import pytest
import torch
from audit import Audit
from helpers import make_samples, random_boxes, tiny_detector

from frcnn_plugin.ops.suppression import nms_of_images
from frcnn_plugin.registry import MODELS


def audit(cfg) -> Audit:
    model = MODELS.build(cfg).train()
    samples, images = make_samples((4, 7)), torch.randn(2, 3, 128, 160)
    with Audit() as seen:
        losses = model(images, samples, 'loss')
    assert torch.isfinite(losses['loss_cls'])
    return seen


@pytest.mark.parametrize('use_sigmoid', [False, True])
def test_a_training_step_needs_nothing_from_the_device(use_sigmoid):
    cfg = tiny_detector()
    cfg.rpn_head.loss_cls = dict(type='CrossEntropyLoss', use_sigmoid=use_sigmoid)
    seen = audit(cfg)
    assert seen.counts['frcnn_plugin::masked_nms'] == 1  # the one operator that may
    assert not seen.waits()


def test_nor_does_suppression_but_for_the_kernel():
    bboxes, scores = random_boxes(60).view(2, 30, 4), torch.rand(2, 30)
    mask, groups = torch.rand(2, 30) > 0.3, torch.randint(3, (2, 30))
    with Audit() as seen:
        nms_of_images(bboxes, scores, mask, groups, 0.5)
    assert seen.counts['torchvision::nms'] == 1
    assert not seen.waits()


def test_the_audit_sees_what_it_looks_for():
    x = torch.randn(4)
    with Audit() as seen:
        x[x > 0].sum().item()
        (x > 0).nonzero()
    assert seen.waits() == {'boolean index': 1, 'aten::nonzero': 1,
                            'aten::_local_scalar_dense': 1}
