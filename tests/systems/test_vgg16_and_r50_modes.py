"""One training recipe, two backbones: their shapes, modes, losses and phases."""

import pytest
import torch
from helpers import few_regions, make_samples, tiny_detector, total
from mmengine.config import Config
from systems.system import build, from_scratch, record

from frcnn_plugin.commands.parser import parse
from frcnn_plugin.commands.train import configure
from frcnn_plugin.registry import MODELS

SIZE = 320  # pixels; a map of 20 x 20


@pytest.mark.parametrize('name, channels, pooled_size, head', [
    ('frcnn_vgg16_voc', 512, 7, (4, 4096, 1, 1)),
    ('frcnn_r50_c4_voc', 1024, 14, (4, 2048, 7, 7)),
])
def test_every_shape_through_the_modes(repo, name, channels, pooled_size, head):
    model = build(from_scratch(repo, name)).eval()
    rpn = model.rpn_head
    assert [(conv.kernel_size, conv.out_channels) for conv in rpn.rpn_conv] == [
        ((3, 3), 512)]
    assert rpn.rpn_cls.kernel_size == rpn.rpn_reg.kernel_size == (1, 1)
    assert rpn.rpn_cls.out_channels == 9 * 2 and rpn.rpn_reg.out_channels == 9 * 4
    pooled, heads = record(model.roi_head.bbox_roi_extractor), record(
        model.roi_head.shared_head)
    with torch.no_grad():
        feats = model(torch.rand(1, 3, SIZE, SIZE), mode='extractor')
        assert [tuple(level.shape) for level in feats] == [(1, channels, 20, 20)]
        logits, deltas, _, proposals = model(
            (feats, torch.tensor([[SIZE, SIZE]])), mode='rpn')
        assert logits.shape == (1, 3600, 2) and deltas.shape == (1, 3600, 4)
        rois = torch.cat([torch.zeros(4, 1), proposals.bboxes[0, :4]], dim=1)
        cls_score, bbox_pred = model((feats, rois), mode='head')
        assert proposals.bboxes.shape == (1, 300, 4)
        rpn.proposal_creator.test['max_per_img'] = 12  # a whole head for each one
        whole, _ = model(torch.rand(1, 3, SIZE, SIZE))
    assert cls_score.shape == (4, 21) and bbox_pred.shape == (4, 80)
    assert whole.shape == (12, 21)
    assert pooled[0] == (4, channels, pooled_size, pooled_size)
    assert heads[0] == head


@pytest.mark.parametrize('sigma', [1.0, 3.0])
def test_smooth_l1_is_the_one_that_is_written_with_sigma(repo, sigma):
    model = Config.fromfile(repo / 'configs/frcnn_r50_c4_voc.py').model
    settings = model.rpn_head if sigma == 3 else model.roi_head.bbox_head
    loss = MODELS.build(settings.loss_bbox)
    d = torch.linspace(-2, 2, 101)
    expected = torch.where(d.abs() < 1 / sigma**2, 0.5 * sigma**2 * d**2,
                           d.abs() - 0.5 / sigma**2)
    found = loss(d, torch.zeros_like(d), reduction_override='none')
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize('name', ['frcnn_vgg16_voc', 'frcnn_r50_c4_voc'])
def test_deltas_of_the_head_are_over_the_stds(repo, name):
    coder = Config.fromfile(repo / f'configs/{name}.py').model.roi_head.bbox_head
    assert tuple(coder.bbox_coder.target_stds) == (0.1, 0.1, 0.2, 0.2)


@pytest.mark.parametrize('network', ['r50_c4', 'vgg16'])
def test_two_phases_as_a_schedule(repo, network):
    cfg = Config.fromfile(repo / f'configs/frcnn_{network}_two_phases_voc.py')
    (hook,) = cfg.custom_hooks
    assert hook.type == 'FrozenPhaseHook' and hook.until * 2 == cfg.train_cfg.max_iters
    assert cfg.find_unused_parameters
    plain = Config.fromfile(repo / f'configs/frcnn_{network}_voc.py')
    assert cfg.model == plain.model


@pytest.mark.long
def test_half_precision_with_a_gradient_scaler():
    """Scaled gradients in bfloat16 are those of float32, as far as its digits go."""
    gradients = {}
    for half in (False, True):
        torch.manual_seed(0)
        model = MODELS.build(few_regions(tiny_detector())).train()
        model.init_weights()
        images, samples = torch.randn(2, 3, 64, 80), make_samples((2, 3), size=(64, 80))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        scaler = torch.amp.GradScaler('cpu', enabled=half)
        torch.manual_seed(1)
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled=half):
            losses = model(images, samples, 'loss')
        scaler.scale(total(losses)).backward()
        scaler.unscale_(optimizer)
        before = model.rpn_head.rpn_cls.weight.detach().clone()
        gradients[half] = model.rpn_head.rpn_cls.weight.grad.clone()
        scaler.step(optimizer)
        scaler.update()
        assert not torch.equal(before, model.rpn_head.rpn_cls.weight)
    difference = (gradients[True] - gradients[False]).norm() / gradients[False].norm()
    assert 0 < difference < 0.1


def test_amp_trains_with_a_dynamic_scale(repo, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    args = parse('train', [
        str(repo / 'configs/frcnn_vgg16_two_phases_voc.py'), '--amp'])
    wrapper = configure(args).optim_wrapper
    assert wrapper.type == 'AmpOptimWrapper' and wrapper.loss_scale == 'dynamic'
