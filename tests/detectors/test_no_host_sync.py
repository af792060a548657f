"""One training step, audited: what would make a GPU wait for the host?"""

from collections import Counter

import pytest
import torch
from helpers import make_samples, random_boxes, tiny_detector
from torch.utils._python_dispatch import TorchDispatchMode

from frcnn_plugin.ops.suppression import nms_of_images
from frcnn_plugin.registry import MODELS

# each of these needs a value, or a size that depends on values, on the host
SYNCING = {
    'aten::_local_scalar_dense', 'aten::item', 'aten::nonzero', 'aten::masked_select',
    'aten::unique', 'aten::_unique2', 'aten::equal', 'aten::is_nonzero'}


class Audit(TorchDispatchMode):
    """Counts operators, and boolean masks used as an index."""

    def __init__(self):
        super().__init__()
        self.counts = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name().split('.')[0]
        self.counts[name] += 1
        if name in ('aten::index', 'aten::index_put', 'aten::index_put_'):
            masks = [i for i in args[1] if i is not None and i.dtype == torch.bool]
            self.counts['boolean index'] += len(masks)
        return func(*args, **(kwargs or {}))


def audit(cfg) -> Counter:
    model = MODELS.build(cfg).train()
    samples, images = make_samples((4, 7)), torch.randn(2, 3, 128, 160)
    with Audit() as seen:
        losses = model(images, samples, 'loss')
    assert torch.isfinite(losses['loss_cls'])
    return seen.counts


@pytest.mark.parametrize('use_sigmoid', [False, True])
def test_a_training_step_needs_nothing_from_the_device(use_sigmoid):
    cfg = tiny_detector()
    cfg.rpn_head.loss_cls = dict(type='CrossEntropyLoss', use_sigmoid=use_sigmoid)
    counts = audit(cfg)
    assert counts['frcnn_plugin::masked_nms'] == 1  # the one operator that may
    found = {name: n for name, n in counts.items()
             if name in SYNCING or name == 'boolean index'}
    assert {name: n for name, n in found.items() if n} == {}


def test_nor_does_suppression_but_for_the_kernel():
    bboxes, scores = random_boxes(60).view(2, 30, 4), torch.rand(2, 30)
    mask, groups = torch.rand(2, 30) > 0.3, torch.randint(3, (2, 30))
    with Audit() as seen:
        nms_of_images(bboxes, scores, mask, groups, 0.5)
    assert seen.counts['torchvision::nms'] == 1
    assert not SYNCING & set(seen.counts) and not seen.counts['boolean index']


def test_the_audit_sees_what_it_looks_for():
    x = torch.randn(4)
    with Audit() as seen:
        x[x > 0].sum().item()
        (x > 0).nonzero()
    assert seen.counts['boolean index'] == 1
    assert seen.counts['aten::nonzero'] == 1
    assert seen.counts['aten::_local_scalar_dense'] == 1
