"""How fast is it? Ours and a peer in one process, in turn, on the same work.

    python tools/benchmark.py inference [--peer NAME] [--mode eager|folded|compiled]
    python tools/benchmark.py training [--peer NAME]
    python tools/benchmark.py targets

Both have the same random weights, images and boxes. Their results are compared first;
only then are they timed, one after the other, again and again. What counts is the
ratio of the medians: the machine may be slow, but it is so for both.
"""

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from benchmark_tasks import PEERS, TASKS, Work
from mmengine.logging import MMLogger
from rich.console import Console
from rich.table import Table
from torch.utils.flop_counter import FlopCounterMode

DEFAULTS = dict(  # batch, regions an image, proposals an image
    inference=(1, 300, 300), training=(2, 128, 2000), targets=(8, 1, 2000))


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('task', choices=list(TASKS))
    parser.add_argument('--peer', choices=PEERS, default='mmdet R50-C4',
                        help='default: %(default)s')
    parser.add_argument('--mode', choices=['eager', 'folded', 'compiled'],
                        default='folded', help='how ours runs: as the configs have it; '
                        'in channels_last, with folded batch normalisation in '
                        'inference and reordered pooling in training; or, in '
                        'inference, also compiled (default: %(default)s)')
    parser.add_argument('--size', type=int, nargs=2, default=(608, 800),
                        metavar=('H', 'W'), help='default: 608 800')
    parser.add_argument('--batch', type=int, metavar='N',
                        help='default: 1, in training 2, for targets 8')
    parser.add_argument('--regions', type=int, metavar='N', help='regions of an image '
                        'in the second stage; default: 300, in training 128')
    parser.add_argument('--proposals', type=int, metavar='N', help='that the RPN gives '
                        'for an image; default: 300, in training 2000')
    parser.add_argument('--boxes', type=int, default=100, metavar='N',
                        help='of ground truth in an image, for targets '
                        '(default: %(default)s)')
    parser.add_argument('--repeat', type=int, default=5, metavar='N',
                        help='default: %(default)s')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures')
    args = parser.parse_args()
    args.size = tuple(args.size)
    for name, value in zip(('batch', 'regions', 'proposals'), DEFAULTS[args.task],
                           strict=True):
        if getattr(args, name) is None:
            setattr(args, name, value)
    return args


def main() -> None:
    """Run the command."""
    args = parse_args()
    MMLogger.get_instance('benchmark', log_level='WARNING')
    torch.manual_seed(0)
    work = TASKS[args.task](args)
    flops = {name: count_flops(run) for name, run in work.items()}
    rate = matrix_rate()
    report(args, in_turn(work, args.repeat), flops, rate)


def in_turn(work: Work, repeat: int) -> dict[str, list[float]]:
    """Seconds of every run; each has been run twice before."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for round_ in range(repeat):
        for name, run in work.items():
            begin = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - begin)
            print(f'{round_ + 1} of {repeat}, {name}: {times[name][-1]:.3f} s',
                  flush=True)
    return times


def count_flops(run: Callable) -> float:
    """Floating-point operations of convolutions and matrix products."""
    with FlopCounterMode(display=False) as counter, torch.compiler.set_stance(
            'force_eager'):
        run()
    return float(counter.get_total_flops())


def matrix_rate(side: int = 2048, repeat: int = 7) -> float:
    """Operations a second of this machine's own product of two matrices, fp32."""
    a, b = torch.randn(2, side, side)
    seconds = []
    for _ in range(repeat):
        begin = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - begin)
    return 2 * side**3 / statistics.median(seconds[1:])


def report(args: argparse.Namespace, times: dict, flops: dict, rate: float) -> None:
    """Print the medians and their ratio."""
    title = f'{args.task}, {args.size[0]}x{args.size[1]}, medians of {args.repeat}'
    table = Table('', 'median s', 'GFLOP', 'of the matrix rate', 'ratio', title=title)
    mine = statistics.median(next(iter(times.values())))
    figures = []
    for name, seconds in times.items():
        median = statistics.median(seconds)
        share = flops[name] / median / rate
        figures.append(dict(name=name, median=median, seconds=seconds, share=share,
                            flops=flops[name], ratio=median / mine))
        table.add_row(name, f'{median:.3f}', f'{flops[name] / 1e9:.1f}',
                      f'{share:.0%}', f'{median / mine:.2f}')
    Console().print(table)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f'matrix product of 2048x2048, fp32: {rate / 1e9:.0f} GFLOP/s; peak memory '
          f'of the process: {memory / 2**30:.2f} GiB')
    if args.json:
        args.json.write_text(json.dumps(dict(
            **{name: value for name, value in vars(args).items() if name != 'json'},
            rate=rate, memory=memory, results=figures), indent=1))


if __name__ == '__main__':
    main()
