"""What only a GPU can show; `CUDA_VISIBLE_DEVICES=0 pytest -m cuda` runs it on one."""

import copy
import os
import shutil

import pytest
import torch
from helpers import make_samples, random_boxes, rois_with, tiny_detector, total

from frcnn_plugin import Detector
from frcnn_plugin.accelerate import for_inference, for_training
from frcnn_plugin.accelerate.parts import with_class
from frcnn_plugin.commands.train import train
from frcnn_plugin.io.checkpoints import read_checkpoint
from frcnn_plugin.mmdet_bridge.lists import pack_ground_truth
from frcnn_plugin.ops import masked_nms
from frcnn_plugin.registry import MODELS
from frcnn_plugin.roi.roi_pool_extractor import RoIPoolExtractor

pytestmark = [pytest.mark.cuda, pytest.mark.skipif(
    not torch.cuda.is_available(), reason='there is no GPU')]

if torch.cuda.is_available():
    from frcnn_plugin.accelerate.triton_roi_align import TritonRoIAlign
    from frcnn_plugin.accelerate.triton_suppression import triton_nms
# read at the first product of matrices, long before --deterministic sets it
os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
FPN = dict(
    backbone=dict(type='mmdet.ResNet', depth=18, num_stages=4, out_indices=(0, 1, 2, 3),
                  norm_eval=True),
    neck=dict(type='mmdet.FPN', in_channels=[64, 128, 256, 512], out_channels=64,
              num_outs=4))


@pytest.fixture(autouse=True)
def exact_products():
    """No TF32: factors of 10 bits would hide everything else."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


def pair(kind='RoIAlign', **parts):
    """A detector here and the same one on the GPU, neither of which samples."""
    cfg = tiny_detector(**parts)
    extractor = cfg.roi_head.bbox_roi_extractor
    extractor.roi_layer.type = kind
    if parts:
        cfg.rpn_head.in_channels = 64
        strides = [4, 8, 16, 32]
        cfg.rpn_head.anchor_generator.update(strides=strides, scales=[4])
        extractor.update(out_channels=64, featmap_strides=strides)
        extractor.roi_layer.output_size = 7
        cfg.roi_head.shared_head = None
        cfg.roi_head.bbox_head.update(in_channels=64, roi_feat_size=7)
    for head in (cfg.rpn_head, cfg.roi_head):
        head.target_sampler.num = -1
    here = MODELS.build(cfg)
    return here, copy.deepcopy(here).cuda()


def batch(device='cpu'):
    torch.manual_seed(1)
    images, samples = torch.randn(2, 3, 128, 160), make_samples((4, 7))
    return images.to(device), [sample.to(device) for sample in samples]


def assert_by_triton(net):
    """Our kernels run, not others that do the same."""
    assert net.rpn_head.proposal_creator.nms is net.roi_head.nms is triton_nms
    extractor = net.roi_head.bbox_roi_extractor
    assert (type(extractor) is TritonRoIAlign) == (extractor.kind == 'RoIAlign')


DETECTORS = [dict(kind='RoIPool'), dict(kind='RoIAlign'), FPN]


@pytest.mark.parametrize('parts', DETECTORS)
@pytest.mark.parametrize('ready', [False, True])
def test_detections_are_those_of_the_cpu(parts, ready):
    here, there = (net.eval() for net in pair(**parts))
    if ready:
        for_inference(there)
        assert_by_triton(there)
    sizes = torch.tensor([[128.0, 160.0], [120.0, 150.0]])
    with torch.no_grad():
        expected = here.detect(batch()[0], sizes)
        found = there.detect(batch('cuda')[0], sizes.cuda())
    assert torch.equal(found.mask.cpu(), expected.mask) and expected.mask.any()
    torch.testing.assert_close(found.scores.cpu(), expected.scores, atol=1e-4, rtol=0)
    torch.testing.assert_close(found.bboxes.cpu(), expected.bboxes, atol=1e-2, rtol=0)


@pytest.mark.parametrize('parts', DETECTORS)
@pytest.mark.parametrize('ready', [False, True])
def test_losses_and_gradients_are_those_of_the_cpu(parts, ready):
    here, there = (net.train() for net in pair(**parts))
    if ready:
        for_training(there)
        assert_by_triton(there)
    losses = [net.loss(*batch(device)) for net, device in ((here, 'cpu'),
                                                           (there, 'cuda'))]
    for name, expected in losses[0].items():
        torch.testing.assert_close(
            losses[1][name].cpu(), expected, atol=1e-4, rtol=1e-4)
    for each in losses:
        total(each).backward()
    for name, parameter in here.named_parameters():
        if parameter.grad is not None:
            error = there.get_parameter(name).grad.cpu() - parameter.grad
            assert error.norm() <= 1e-2 * parameter.grad.norm() + 1e-6, name


@pytest.mark.parametrize('grouped', [True, False])
@pytest.mark.parametrize('num', [-1, 30])
@pytest.mark.parametrize('number', [5, 1200])
def test_suppression_is_that_of_the_cpu(grouped, num, number):
    bboxes, scores = random_boxes(2 * number).view(2, number, 4), torch.rand(2, number)
    mask = torch.rand(2, number) > 0.33
    groups = torch.randint(3, (2, number)) if grouped else None
    expected = masked_nms(bboxes, scores, mask, 0.3, groups)
    found = triton_nms(*(value if value is None else value.cuda() for value in (
        bboxes, scores, mask)), 0.3, None if groups is None else groups.cuda(),
        num=num).cpu()
    if num < 0:
        assert torch.equal(found, expected)
    else:
        assert not (found & ~expected).any()
        assert torch.equal(found.sum(1), expected.sum(1).clamp(max=num))


@pytest.mark.parametrize('parts', DETECTORS)
def test_the_host_never_waits(parts):
    there = for_training(pair(**parts)[1].train())
    images, samples = batch('cuda')
    sizes = torch.full((2, 2), 128.0, device='cuda')
    gt = pack_ground_truth([sample.gt_instances for sample in samples])

    def step():
        there.train()
        total(there.losses(images, sizes, gt)).backward()
        with torch.no_grad():
            return there.eval().detect(images, sizes)
    step()  # what is made once is made now
    torch.cuda.set_sync_debug_mode('error')
    try:
        step()
    finally:
        torch.cuda.set_sync_debug_mode('default')


@pytest.mark.parametrize('parts', DETECTORS)
def test_one_cuda_graph_detects_the_same(parts):
    _, plain = pair(**parts)
    fast = for_inference(copy.deepcopy(plain.eval()), compile=True)
    images, sizes = batch('cuda')[0], torch.full((2, 2), 128.0, device='cuda')
    torch._dynamo.utils.counters.clear()
    with torch.no_grad():
        expected = plain.detect(images, sizes)
        found = fast.detect(images, sizes)
        for _ in range(3):
            fast.detect(torch.zeros_like(images), sizes)
    with torch.inference_mode():
        again = fast.detect(images, sizes)
    assert torch.equal(again.scores, found.scores)  # and nothing was overwritten
    assert not torch._dynamo.utils.counters['inductor']['cudagraph_skips']
    assert torch.equal(found.mask, expected.mask) and expected.mask.any()
    torch.testing.assert_close(found.scores, expected.scores, atol=1e-4, rtol=0)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_detects_nearly_the_same(dtype):
    _, plain = pair()
    fast = for_inference(copy.deepcopy(plain.eval()), dtype=dtype)
    images, sizes = batch('cuda')[0], torch.full((2, 2), 128.0, device='cuda')
    with torch.no_grad():
        expected = plain.detect(images, sizes)
        with torch.autocast('cuda', dtype):
            found = fast.detect(images, sizes)
    for layer in (fast.backbone.conv1, fast.rpn_head.rpn_cls):
        assert layer.weight.dtype == dtype
    torch.testing.assert_close(found.scores[:, 0], expected.scores[:, 0], atol=0.05,
                               rtol=0)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('sampling_ratio', [0, 2])
def test_half_precision_pools_the_same(dtype, sampling_ratio):
    plain = RoIPoolExtractor(dict(
        type='RoIAlign', output_size=7, sampling_ratio=sampling_ratio), 1024, [16])
    feature = torch.randn(2, 1024, 38, 50, device='cuda', dtype=dtype)
    rois = rois_with(60, []).cuda()
    torch.testing.assert_close(
        with_class(plain, TritonRoIAlign)([feature], rois).float(),
        plain([feature.float()], rois), atol=2e-2, rtol=2e-2)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason='there is one GPU')
def test_a_device_that_is_not_the_current_one():
    _, plain = pair()
    fast = for_inference(copy.deepcopy(plain.eval()).to('cuda:1'))
    images, sizes = batch('cuda:1')[0], torch.full((2, 2), 128.0, device='cuda:1')
    with torch.no_grad():
        found = fast.detect(images, sizes)
        expected = plain.detect(images.to('cuda:0'), sizes.to('cuda:0'))
    torch.testing.assert_close(found.scores.cpu(), expected.scores.cpu())


@pytest.mark.parametrize('options', [dict(compile=True), dict(amp=True)])
def test_a_detector_of_pictures(options, shapes_root, checkpoint):
    pictures = sorted((shapes_root / 'JPEGImages').glob('test_*.jpg'))[:3]
    found = Detector(checkpoint, device='cuda', **options)(pictures)
    expected = Detector(checkpoint, device='cpu')(pictures)
    for mine, theirs in zip(found, expected, strict=True):
        assert abs(mine.scores[:5] - theirs.scores[:5]).max() < 0.02


@pytest.mark.parametrize('options', [[], ['--amp']])
def test_a_run_that_is_resumed_ends_as_if_it_had_not_stopped(
        shapes_root, tmp_path, options):
    def run(name):
        train(['frcnn_r18_c4_shapes', '--data-root', str(shapes_root), '--work-dir',
               str(tmp_path / name), '--seed', '0', '--deterministic', '--resume',
               '--max-iters', '6', *options, '--cfg-options',
               'train_dataloader.batch_size=4', 'train_cfg.val_interval=100',
               'default_hooks.checkpoint.interval=3', 'default_hooks.report=None'])
        return read_checkpoint(tmp_path / name / 'iter_6.pth')

    whole, half = run('whole'), tmp_path / 'parts/iter_3.pth'
    half.parent.mkdir()
    shutil.copyfile(tmp_path / 'whole/iter_3.pth', half)
    (half.parent / 'last_checkpoint').write_text(str(half))
    parts = run('parts')
    for name, value in whole['state_dict'].items():
        assert torch.equal(parts['state_dict'][name], value), name
    assert whole['meta']['iter'] == parts['meta']['iter'] == 6
