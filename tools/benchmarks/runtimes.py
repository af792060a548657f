"""The same detector in torch and, from its file, in other runtimes: speed in turn."""

import statistics
from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from peers.networks import SIZE, settle
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from frcnn_plugin.config.files import load_config
from frcnn_plugin.config.initialisation import drop_pretrained
from frcnn_plugin.export import GraphDetector
from frcnn_plugin.interop.configure import build

from .measure import count_flops, in_turn
from .pairs import agree, detection_partners
from .rate import BestRate, processor
from .runtime_rows import rows_of

C4, FPN = 'frcnn_r50_c4_voc', 'frcnn_r50_fpn_voc'
LAYER = 'model.roi_head.bbox_roi_extractor.roi_layer.type'
CREATOR = 'model.rpn_head.proposal_creator'
MODELS = {  # config, changes, regions
    'c4_pool': (C4, {}, 300),
    'c4_align': (C4, {LAYER: 'RoIAlign'}, 300),
    'fpn': (FPN, {}, 1000),
}
MOVES = 0.3  # times as far as with the spread of ``settle``
SAME = 1e-3  # pixels, and score


class Ours:
    """A detector of ours, as ``settle`` of tools/peers asks for a peer."""

    def __init__(self, net: nn.Module) -> None:
        rpn, self.head = net.rpn_head, net.roi_head.bbox_head
        self.predictors = rpn.rpn_cls, rpn.rpn_reg, self.head.fc_cls, self.head.fc_reg
        self.backbone, self.shared_head = net.backbone, net.roi_head.shared_head
        self.features, self.rpn_maps = net.extract_feat, rpn
        self.pooled = net.roi_head.bbox_roi_extractor

    def heads(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and deltas of pooled regions."""
        return self.head(self.shared_head(pooled) if self.shared_head else pooled)


def detector_of(name: str, proposals: int | None) -> nn.Module:
    """A detector of ``MODELS`` with random weights.

    They have the spread of trained ones, and no proposal is too small, so that there
    are as many proposals as the config allows.
    """
    config, changes, regions = MODELS[name]
    cfg = load_config(config, {
        **changes, f'{CREATOR}.test.max_per_img': proposals or regions,
        f'{CREATOR}.min_bbox_size': 1e-3})
    drop_pretrained(cfg)
    net = build(cfg)
    net.init_weights()
    image = torch.from_numpy(picture(SIZE, 1)) / 50 - 2
    settle(Ours(net.eval()), image)
    with torch.no_grad():  # trained ones move boxes by less, and so less rounding
        for layer in (net.rpn_head.rpn_reg, net.roi_head.bbox_head.fc_reg):
            layer.weight *= MOVES
            layer.bias *= MOVES
    return net


def picture(size: tuple[int, int], seed: int) -> np.ndarray:
    """(1, 3, H, W) float32 in [0, 255]: patches of colour, and noise.

    In noise alone all regions look alike, and random weights, brought to tell them
    apart, would enlarge the last bit.
    """
    generator = torch.Generator().manual_seed(seed)
    patches = torch.randn(1, 3, *(-(-side // 32) for side in size), generator=generator)
    noise = torch.randn(1, 3, *size, generator=generator)
    image = F.interpolate(patches, size, mode='bilinear') + 0.2 * noise
    return (128 + 60 * image).clamp(0, 255).numpy()


def runtimes(args: Namespace) -> dict:
    """The rows of every model of ``--models``.

    Returns:
        dict: ``processor``, ``detectors`` by name, see :func:`measure_model`, and
        ``rate_of``, by precision what gave the best rate.
    """
    image = picture(args.size, args.seed)
    best, detectors = {}, {}
    for precision in ('fp32', 'bf16', 'int8'):
        try:
            best[precision] = BestRate(Namespace(device='cpu', precision=precision))
        except LookupError as error:
            print(error)
    for name in args.models or MODELS:
        print(f'{name}: its file is made', flush=True)
        net = detector_of(name, args.proposals)
        with TemporaryDirectory() as folder:
            detectors[name] = measure_model(args, net, image, best, Path(folder))
    return dict(detectors=detectors, processor=processor(),
                rate_of={name: str(each) for name, each in best.items()})


def measure_model(args: Namespace, net: nn.Module, image: np.ndarray,
                  best: dict[str, BestRate], folder: Path) -> dict:
    """The rows of one model, timed in turn after their detections were compared.

    Returns:
        dict: ``proposals``; ``flops`` of the plain detector; ``rates`` by precision;
        and by name ``rows`` with ``median`` and ``seconds``, ``ratio`` to the first,
        ``share`` of the best rate, and ``found``, the number of detections, or else
        ``lacking``, why it cannot be run here.
    """
    plain, rows, work = GraphDetector(net, plain=True), {}, {}
    with torch.no_grad(), patch.object(
            plain.detector.roi_head, 'detect',
            wraps=plain.detector.roi_head.detect) as seen:
        expected = [part.numpy() for part in plain(torch.from_numpy(image))]
        proposals = int(seen.call_args.args[1].mask.sum())
        flops = count_flops(lambda: plain(torch.from_numpy(image)))
    print(f'{proposals} proposals, {len(expected[0])} detections', flush=True)
    for name, make in rows_of(net, folder, args.size).items():
        try:
            run = make()
        except LookupError as reason:
            rows[name] = dict(lacking=str(reason))
            continue
        found = run(image)
        if name.endswith('fp32'):
            same_arrays(name, found, expected)
        rows[name] = dict(found=len(found[0]))
        work[name] = lambda run=run: run(image)
    for run in work.values():  # once more: some compile at the first picture
        run()
    times = in_turn(args, {**work, **best})
    rates = {name: each.rate(times[name]) for name, each in best.items()}
    for name in work:
        median = statistics.median(times[name])
        rate = rates.get(name.split(', ')[-1])
        rows[name].update(
            median=median, seconds=times[name], share=rate and flops / median / rate,
            ratio=statistics.median(times[next(iter(work))]) / median)
    return dict(proposals=proposals, flops=flops, rates=rates, rows=rows)


def same_arrays(name: str, found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    """Stop unless detections are the same, whatever the order of equal scores."""
    agree(f'{name}: numbers of detections', *(
        torch.tensor(len(each[0])) for each in (found, expected)), 0)
    boxes, scores = detection_partners(*(
        SimpleNamespace(**dict(zip(('bboxes', 'scores', 'labels'),
                                   map(torch.tensor, each[:3]), strict=True)))
        for each in (found, expected)))
    agree(f'{name}: boxes, pixels,', *boxes, SAME)
    agree(f'{name}: scores', *scores, SAME)


def report_runtimes(args: Namespace, figures: dict) -> None:
    """Print a table for each model."""
    for name, model in figures['detectors'].items():
        table = Table(
            '', 'median s', 'times as fast', 'of the best rate', 'detections',
            title=f'{name}, {args.size[0]}x{args.size[1]}, {model["proposals"]} '
            f'proposals, {model["flops"] / 1e9:.0f} GFLOP, medians of {args.repeat}')
        for row, each in model['rows'].items():
            if 'lacking' in each:
                table.add_row(row, each['lacking'])
                continue
            table.add_row(row, f'{each["median"]:.3f}', f'{each["ratio"]:.2f}',
                          f'{each["share"]:.0%}' if each['share'] else '',
                          str(each['found']))
        Console().print(table)
        for precision, rate in model['rates'].items():
            print(f'Best rate: {rate / 1e9:.0f} GFLOP/s '
                  f'({figures["rate_of"][precision]}).')
    print(f'Processor: {figures["processor"]}. Shares: of the operations of the plain '
          'detector, of which ours may need fewer.')
