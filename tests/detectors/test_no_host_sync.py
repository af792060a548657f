"""One training step, audited: what would make a GPU wait for the host?"""

from collections import Counter
from types import SimpleNamespace

import pytest
import torch
from audit import Audit
from helpers import make_samples, random_boxes, tiny_detector
from mmengine.hooks import RuntimeInfoHook
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper

from frcnn_plugin.ops.suppression import nms_of_images
from frcnn_plugin.registry import MODELS


def audit(clip_grad: dict | None = None, check_losses: bool = False,
          use_sigmoid: bool = False) -> Audit:
    """A whole ``train_step``: preprocessing, both stages, backward and optimizer."""
    cfg = tiny_detector(data_preprocessor=dict(
        type='DetDataPreprocessor', mean=[100.0], std=[50.0], pad_size_divisor=32))
    cfg.rpn_head.loss_cls = dict(type='CrossEntropyLoss', use_sigmoid=use_sigmoid)
    model = MODELS.build(cfg).train()
    model.check_losses = check_losses
    optim_wrapper = build_optim_wrapper(model, dict(clip_grad=clip_grad, optimizer=dict(
        type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4)))
    batch = dict(data_samples=make_samples((4, 7)), inputs=[
        torch.randint(256, (3, 128, 160), dtype=torch.uint8) for _ in range(2)])
    before = model.roi_head.bbox_head.fc_cls.weight.clone()
    preprocessing: list[Counter] = []

    def begin_step(*_) -> None:
        preprocessing.append(seen.waits())
        seen.counts.clear()

    model.data_preprocessor.register_forward_hook(begin_step)
    with Audit() as seen:
        losses = model.train_step(batch, optim_wrapper)
    # mmengine's stack_batch compares sizes of images, which are tensors of the host
    assert preprocessing == [{'aten::_local_scalar_dense': 1}]
    assert torch.isfinite(losses['loss'])
    assert not torch.equal(model.roi_head.bbox_head.fc_cls.weight, before)
    return seen


@pytest.mark.parametrize('use_sigmoid', [False, True])
def test_a_training_step_needs_nothing_from_the_device(use_sigmoid):
    seen = audit(use_sigmoid=use_sigmoid)
    assert seen.counts['frcnn_plugin::masked_nms'] == 1  # the one operator that may
    assert not seen.waits()


def test_the_check_of_losses_waits_once():
    assert audit(check_losses=True).waits() == {'aten::_local_scalar_dense': 1}


def test_clipping_waits_once_in_mmengine():
    """``OptimWrapper._clip_grad`` puts the norm into its log as a Python number."""
    seen = audit(clip_grad=dict(max_norm=10))
    assert seen.waits() == {'aten::_local_scalar_dense': 1}


def test_the_log_waits_once_for_each_loss_in_mmengine():
    """After the step: ``RuntimeInfoHook`` puts the losses into its log as numbers."""
    losses = dict(loss=torch.rand(()), loss_cls=torch.rand(()))
    runner = SimpleNamespace(message_hub=MessageHub.get_instance('test_the_log_waits'))
    with Audit() as seen:
        RuntimeInfoHook().after_train_iter(runner, 0, outputs=losses)
    assert seen.waits() == {'aten::_local_scalar_dense': 2}


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
        x.tolist()
    assert seen.waits() == {'boolean index': 1, 'aten::nonzero': 1,
                            'aten::_local_scalar_dense': 1, 'tolist': 1}
