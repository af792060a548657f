"""One training step, audited: what would make a GPU wait for the host?"""

from collections import Counter

import pytest
import torch
from audit import Audit
from helpers import make_samples, random_boxes, tiny_detector
from mmengine.optim import OptimWrapper

from frcnn_plugin.ops.suppression import nms_of_images
from frcnn_plugin.registry import MODELS

# stack_batch of mmengine reads the sizes of the images, a tensor that is on the host
ON_THE_HOST = Counter({'aten::_local_scalar_dense': 1})


def train_step(cfg, check_losses: bool = False, **optim_wrapper) -> Counter:
    """What a whole step waits for: preprocessor, forward, backward, optimizer."""
    cfg.data_preprocessor = dict(
        type='DetDataPreprocessor', mean=[120.0] * 3, std=[60.0] * 3, bgr_to_rgb=True,
        pad_size_divisor=32)
    model = MODELS.build(cfg).train()
    model.check_losses = check_losses
    # not AdamW: its step counters are tensors of the host, and read as such
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    wrapper = OptimWrapper(optimizer, **optim_wrapper)
    batch = dict(inputs=list(torch.randint(256, (2, 3, 128, 160), dtype=torch.uint8)),
                 data_samples=make_samples((4, 7)))
    before = model.rpn_head.rpn_cls.weight.detach().clone()
    with Audit() as seen:
        logged = model.train_step(batch, wrapper)
    assert torch.isfinite(logged['loss'])
    assert not torch.equal(before, model.rpn_head.rpn_cls.weight)
    assert seen.counts['frcnn_plugin::masked_nms'] == 1  # the one operator that may
    return seen.waits() - ON_THE_HOST


@pytest.mark.parametrize('use_sigmoid', [False, True])
def test_a_training_step_needs_nothing_from_the_device(use_sigmoid):
    cfg = tiny_detector()
    cfg.rpn_head.loss_cls = dict(type='CrossEntropyLoss', use_sigmoid=use_sigmoid)
    assert not train_step(cfg)


def test_a_look_at_the_loss_is_one_wait():
    waits = train_step(tiny_detector(), check_losses=True)
    assert waits == {'aten::_local_scalar_dense': 1}


def test_clipped_gradients_wait_for_their_norm_once():
    """mmengine logs the norm as a number: ``float(grad)`` in its OptimWrapper."""
    waits = train_step(tiny_detector(), clip_grad=dict(max_norm=10))
    assert waits == {'aten::_local_scalar_dense': 1}


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
