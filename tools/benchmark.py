"""How fast is it? Ours and a peer on the same work, in turn, in one process.

    python tools/benchmark.py inference [--peer NAME] [--mode eager|folded|compiled]
    python tools/benchmark.py training|targets|suppression [--peer NAME]
    python tools/benchmark.py kernels [--only WORD]
    python tools/benchmark.py loading --config FILE --data-root DIR
    python tools/benchmark.py devices --device cuda
    python tools/benchmark.py runtimes [--models c4_pool c4_align fpn]
    python tools/benchmark.py sweep [--axes size batch regions boxes proposals]

Both have the same random weights, images and boxes. Their results are compared first;
only then are they timed, in alternation. What counts is the ratio of the medians: a
slow machine is slow for both.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from benchmarks import ROOT
from benchmarks.kernels import kernels, report_kernels
from benchmarks.measure import PRECISIONS, set_tf32
from benchmarks.pairs import PEERS
from benchmarks.report import report, report_sweep
from benchmarks.runtimes import MODELS, report_runtimes, runtimes
from benchmarks.sweep import AXES, sweep
from benchmarks.tasks import TASKS, measure, with_defaults
from mmengine.logging import MMLogger

from frcnn_plugin.errors import UserError

OTHERS = dict(kernels=(kernels, report_kernels), convolution=(kernels, report_kernels),
              runtimes=(runtimes, report_runtimes), sweep=(sweep, report_sweep))


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('task', choices=[*TASKS, *OTHERS])
    parser.add_argument('--peer', choices=PEERS, default='mmdet R50-C4',
                        help='whom to compare with (default: %(default)s)')
    parser.add_argument('--mode', choices=['eager', 'folded', 'compiled'],
                        default='folded', help='how ours runs: as the configs have it; '
                        'accelerated (channels_last, batch normalisation folded in '
                        'inference, pooling reordered in training); or compiled as '
                        'well (default: %(default)s)')
    parser.add_argument('--device', default='cpu', help='default: %(default)s')
    parser.add_argument('--precision', choices=PRECISIONS, default='fp32',
                        help='of both networks; bf16 and fp16 by autocast '
                        '(default: %(default)s)')
    parser.add_argument('--size', type=int, nargs=2, default=(608, 800),
                        metavar=('H', 'W'), help='of the images (default: 608 800)')
    parser.add_argument('--batch', type=int, metavar='N', help='images in a batch '
                        '(default: 1; training: 2; targets and suppression: 8; '
                        'loading: as in the config)')
    parser.add_argument('--regions', type=int, metavar='N', help='regions per image '
                        'in the second stage (default: 300; training: 128); for '
                        'suppression the boxes per image (12000)')
    parser.add_argument('--proposals', type=int, metavar='N',
                        help='proposals per image from the RPN (default: 300; '
                        'training, targets and suppression: 2000)')
    parser.add_argument('--boxes', type=int, default=100, metavar='N',
                        help='boxes of ground truth per image, for '
                        'targets (default: %(default)s)')
    parser.add_argument('--repeat', type=int, default=5, metavar='N',
                        help='times that each is measured (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0,
                        help='of weights and images; try another '
                        'one if the results differ because a value lies just '
                        'at a threshold (default: %(default)s)')
    parser.add_argument('--models', nargs='+', choices=list(MODELS), metavar='MODEL',
                        help=f'for runtimes: {", ".join(MODELS)} (default: all)')
    parser.add_argument('--only', metavar='WORD', help='for kernels: those that have '
                        'it in their name')
    parser.add_argument('--axes', nargs='+', choices=list(AXES), metavar='AXIS',
                        help=f'what a sweep varies: {", ".join(AXES)} (default: all)')
    parser.add_argument('--values', nargs='+', type=int, metavar='N',
                        help='values to try, for a sweep over one axis')
    parser.add_argument('--config', default=str(ROOT / 'configs/frcnn_r50_c4_bccd.py'),
                        help='config to load data of (default: frcnn_r50_c4_bccd.py)')
    parser.add_argument('--data-root', metavar='DIR', help='data set of the config')
    parser.add_argument('--classes', nargs='+', metavar='NAME',
                        help='classes of the data set')
    parser.add_argument('--workers', type=int, default=2, metavar='N',
                        help='loader processes (default: %(default)s)')
    parser.add_argument('--json', type=Path, metavar='FILE',
                        help='write the figures to this file')
    args = parser.parse_args()
    args.size = tuple(args.size)
    if args.task == 'convolution':  # one kind of kernel
        args.task, args.only = 'kernels', 'convolution'
    if args.values and (args.axes is None or len(args.axes) > 1 or
                        args.axes == ['size']):
        parser.error('--values needs one axis in --axes, other than size')
    return args


def main() -> None:
    """Run the command."""
    args = parse_args()
    MMLogger.get_instance('benchmark', log_level='WARNING')
    torch.manual_seed(args.seed)
    set_tf32(False, False)
    try:
        run, show = OTHERS.get(args.task, (measure, report))
        figures = run(with_defaults(args))
        status = show(args, figures)
    except UserError as error:
        raise SystemExit(f'error: {error}') from error
    if args.json:
        args.json.write_text(json.dumps(dict(
            **{name: value for name, value in vars(args).items() if name != 'json'},
            **figures), indent=1))
    sys.exit(status)


if __name__ == '__main__':
    main()
