"""How fast is it? Ours and a peer on the same work, in turn, in one process.

    python tools/benchmark.py inference [--peer NAME] [--mode eager|folded|compiled]
    python tools/benchmark.py training|targets|suppression [--peer NAME]
    python tools/benchmark.py convolution
    python tools/benchmark.py loading --config FILE --data-root DIR
    python tools/benchmark.py devices --device cuda
    python tools/benchmark.py sweep [--axes size batch regions boxes proposals]

Both have the same random weights, images and boxes. Their results are compared first;
only then are they timed, in alternation. What counts is the ratio of the medians: a
slow machine is slow for both.
"""

import argparse
import json
import statistics
from pathlib import Path

import torch
from benchmarks import ROOT
from benchmarks.convolution import convolution
from benchmarks.devices import devices
from benchmarks.inference import inference
from benchmarks.loading import loading
from benchmarks.measure import (
    PRECISIONS,
    MatrixProduct,
    count_flops,
    count_waits,
    in_turn,
    peak_memory,
    set_tf32,
)
from benchmarks.pairs import PEERS
from benchmarks.sweep import AXES, sweep
from benchmarks.targets import suppression, targets
from benchmarks.training import training
from mmengine.logging import MMLogger
from rich.console import Console
from rich.table import Table

from frcnn_plugin.errors import UserError

TASKS = dict(inference=inference, training=training, targets=targets,
             suppression=suppression, convolution=convolution, loading=loading,
             devices=devices)
PRODUCT = 'matrix product'
DEFAULTS = dict(  # batch, regions an image, proposals an image
    inference=(1, 300, 300), training=(2, 128, 2000), targets=(8, 1, 2000),
    suppression=(8, 12000, 2000), convolution=(2, 0, 0), loading=(None, 0, 0),
    devices=(2, 0, 64))


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('task', choices=[*TASKS, 'sweep'])
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
    if args.values and (args.axes is None or len(args.axes) > 1 or
                        args.axes == ['size']):
        parser.error('--values needs one axis in --axes, other than size')
    return args


def with_defaults(args: argparse.Namespace) -> argparse.Namespace:
    """The same, with what its task has by default."""
    for name, value in zip(('batch', 'regions', 'proposals'), DEFAULTS[args.task],
                           strict=True):
        if getattr(args, name) is None:
            setattr(args, name, value)
    return args


def main() -> None:
    """Run the command."""
    args = parse_args()
    MMLogger.get_instance('benchmark', log_level='WARNING')
    torch.manual_seed(args.seed)
    set_tf32(False, False)
    try:
        if args.task == 'sweep':
            figures = dict(rows=sweep(args, TASKS, with_defaults))
            report_sweep(figures['rows'])
        else:
            figures = measure(with_defaults(args))
            report(args, figures)
    except UserError as error:
        raise SystemExit(f'error: {error}') from error
    if args.json:
        args.json.write_text(json.dumps(dict(
            **{name: value for name, value in vars(args).items() if name != 'json'},
            **figures), indent=1))


def measure(args: argparse.Namespace) -> dict:
    """All figures of one task."""
    work = TASKS[args.task](args)
    flops = {name: count_flops(run) for name, run in work.items()}
    waits = {name: count_waits(args.device, run) for name, run in work.items()}
    memory = {name: peak_memory(args.device, run) for name, run in work.items()}
    product = MatrixProduct(args)
    product()
    times = in_turn(args, {**work, PRODUCT: product})
    rate = product.flops / statistics.median(times.pop(PRODUCT))
    mine = statistics.median(next(iter(times.values())))
    results = []
    for name, seconds in times.items():
        median = statistics.median(seconds)
        results.append(dict(
            name=name, median=median, seconds=seconds, ratio=median / mine,
            flops=flops[name], share=flops[name] / median / rate, waits=waits[name],
            memory=memory[name]))
    return dict(rate=rate, results=results)


def report(args: argparse.Namespace, figures: dict) -> None:
    """Print the medians and their ratio."""
    title = (f'{args.task}, {args.device}, {args.precision}, batch {args.batch}, '
             f'{args.size[0]}x{args.size[1]}, medians of {args.repeat}')
    table = Table('', 'median s', 'GFLOP', 'of the matrix rate', 'peak GiB', 'waits',
                  'ratio', title=title)
    for each in figures['results']:
        table.add_row(each['name'], f'{each["median"]:.4f}',
                      f'{each["flops"] / 1e9:.1f}', f'{each["share"]:.0%}',
                      f'{each["memory"] / 2**30:.2f}', str(each['waits']),
                      f'{each["ratio"]:.2f}')
    Console().print(table)
    print(f'matrix product, {args.precision}: {figures["rate"] / 1e9:.0f} GFLOP/s. '
          f'Peak memory: {"what torch held" if args.device != "cpu" else "the process"}'
          '. Waits: operators after which the host waits for a GPU.')


def report_sweep(rows: list[dict]) -> None:
    """Print a line for every value."""
    table = Table('', 'value', 'ours, s', 'peak GiB', 'peer, s', 'peak GiB', 'ratio',
                  title='how the cost grows')
    for row in rows:
        mine, theirs = row['results']
        value = row['value']
        table.add_row(
            f'{row["task"]}: {row["axis"]}',
            'x'.join(map(str, value)) if isinstance(value, tuple) else str(value),
            f'{mine["median"]:.3f}', f'{mine["memory"] / 2**30:.2f}',
            f'{theirs["median"]:.3f}', f'{theirs["memory"] / 2**30:.2f}',
            f'{theirs["median"] / mine["median"]:.2f}')
    Console().print(table)


if __name__ == '__main__':
    main()
