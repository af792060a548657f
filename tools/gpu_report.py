"""What only a GPU can show, in one run: equal results, speed, and a trained mAP.

    python tools/gpu_report.py --data-root bccd --out report [--only NAME ...]

Each part is a command, which is printed and run. If one fails or takes too long, that
is reported, and the next one runs. Leaves ``report.md``,
``figures.json``, ``log.txt`` and ``curve.png``. Ends with status 1 if a part failed.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import matplotlib
import torch
from benchmarks.report import percent

matplotlib.use('Agg')
from matplotlib import pyplot

ROOT = Path(__file__).resolve().parent.parent
C4, FPN, VISION = 'mmdet R50-C4', 'mmdet R50-FPN', 'torchvision R50-FPN'
PYRAMID = ['--regions', '1000', '--proposals', '1000']
BENCHMARKS = {  # name: what tools/benchmark.py is asked
    'devices C4': ['devices', '--peer', C4, '--size', '304', '400'],
    'devices FPN': ['devices', '--peer', VISION, '--size', '304', '400'],
    'inference fp32': ['inference', '--peer', C4],
    'inference tf32': ['inference', '--peer', C4, '--precision', 'tf32'],
    'inference bf16': ['inference', '--peer', C4, '--precision', 'bf16'],
    'inference bf16, compiled': [
        'inference', '--peer', C4, '--precision', 'bf16', '--mode', 'compiled'],
    'inference bf16, batch 8': [
        'inference', '--peer', C4, '--precision', 'bf16', '--batch', '8'],
    'inference bf16, batch 8, compiled': [
        'inference', '--peer', C4, '--precision', 'bf16', '--batch', '8', '--mode',
        'compiled'],
    'inference FPN bf16, batch 8, compiled': [
        'inference', '--peer', FPN, '--precision', 'bf16', '--batch', '8', '--mode',
        'compiled', *PYRAMID],
    'inference FPN fp32, compiled': [
        'inference', '--peer', VISION, '--mode', 'compiled', *PYRAMID],
    'training fp32': ['training', '--peer', C4],
    'training tf32': ['training', '--peer', C4, '--precision', 'tf32'],
    'training bf16, batch 8': [
        'training', '--peer', C4, '--precision', 'bf16', '--batch', '8'],
    'training bf16, batch 8, compiled': [
        'training', '--peer', C4, '--precision', 'bf16', '--batch', '8', '--mode',
        'compiled'],
    'targets': ['targets'],
    'suppression': ['suppression'],
}
PARTS = [*BENCHMARKS, 'loading', 'bccd']
SMALL = ['--size', '128', '160', '--batch', '1', '--regions', '8', '--proposals', '16',
         '--boxes', '3', '--repeat', '1', '--precision', 'fp32', '--mode', 'folded']


def main() -> int:
    """Run the command."""
    args = parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    names = args.only or PARTS
    failed, figures = [], {}
    with (args.out / 'log.txt').open('a') as log:
        for place, name in enumerate(names, 1):
            print(f'{place} of {len(names)}: {name}', flush=True)
            part = train if name == 'bccd' else benchmark
            begin = time.perf_counter()
            figures[name] = part(name, args, log)
            print(f'    {time.perf_counter() - begin:.0f} s', flush=True)
            if 'failed' in figures[name]:
                failed.append(name)
                print(f'    {figures[name]["failed"]}', flush=True)
            write(args, figures)  # what is there already outlives a stop
    print(f'{args.out / "report.md"}; failed: {", ".join(failed) or "nothing"}')
    return int(bool(failed))


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--data-root', required=True, help='BCCD, or another data set')
    parser.add_argument('--classes', nargs='+', metavar='NAME',
                        help='classes of another data set')
    parser.add_argument('--config', type=Path,
                        default=ROOT / 'configs/frcnn_r50_c4_bccd_scratch.py',
                        help='config to train (default: %(default)s)')
    parser.add_argument('--max-iters', type=int, metavar='N', help='train for N steps')
    parser.add_argument('--no-compile', action='store_true',
                        help='train without torch.compile')
    parser.add_argument('--out', type=Path, default=Path('gpu_report'),
                        help='folder of the report (default: %(default)s)')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/gpu_report'),
                        help='folder of the checkpoints (default: %(default)s)')
    parser.add_argument('--only', nargs='+', metavar='NAME',
                        choices=PARTS, help=f'only these parts: {"; ".join(PARTS)}')
    parser.add_argument('--device', default='cuda', help='default: %(default)s')
    parser.add_argument('--small', action='store_true',
                        help='tiny sizes, to try the script itself')
    parser.add_argument('--limit', type=int, default=900, metavar='SECONDS',
                        help='for each part (default: %(default)s)')
    args = parser.parse_args()
    if args.device.startswith('cuda') and not torch.cuda.is_available():
        parser.error('torch finds no GPU; to try the script itself, add --device cpu '
                     '--small')
    return args


def benchmark(name: str, args: argparse.Namespace, log) -> dict:
    """One call of tools/benchmark.py."""
    file = args.out / 'part.json'
    if name == 'loading':
        asked = ['loading', '--config', str(args.config), '--data-root', args.data_root,
                 '--workers', str(min(16, os.cpu_count() or 1))]
        asked += ['--classes', *args.classes] if args.classes else []
        asked += ['--precision', 'bf16']
    else:
        asked = BENCHMARKS[name]
    asked = [*asked, '--device', args.device, '--json', str(file)]
    if args.device != 'cpu' and asked[0] in ('inference', 'training'):
        asked += ['--repeat', '20']
    asked += SMALL if args.small else []
    failure = call([ROOT / 'tools/benchmark.py', *asked], args, log)
    if failure:
        return dict(failed=failure)
    figures = json.loads(file.read_text())
    file.unlink()
    return figures


def train(name: str, args: argparse.Namespace, log) -> dict:
    """From random weights to the mAP on the test split, with the curve."""
    data = ['--data-root', args.data_root, '--work-dir', args.work_dir]
    data += ['--classes', *args.classes] if args.classes else []
    options = [] if args.no_compile else ['compile=True']
    if args.device != 'cpu':
        options += ['optim_wrapper.type=AmpOptimWrapper',
                    'optim_wrapper.dtype=bfloat16']
    command = [ROOT / 'tools/train.py', args.config, *data, '--from-scratch',
               '--seed', '0']
    command += ['--max-iters', str(args.max_iters)] if args.max_iters else []
    command += ['--cfg-options', *options] if options else []
    begin = time.perf_counter()
    failure = call(command, args, log)
    seconds = time.perf_counter() - begin
    found = sorted(args.work_dir.glob('*.pth'), key=lambda path: (
        path.name.startswith('best'), path.stat().st_mtime))
    if not found:
        return dict(failed=failure or 'no checkpoint was left')
    test = [ROOT / 'tools/test.py', args.config, found[-1], *data, '--split', 'test']
    failure = call(test, args, log) or failure
    if failure:
        return dict(failed=failure)
    curve(args)
    return json.loads((args.work_dir / 'metrics.json').read_text()) | dict(
        seconds=seconds, checkpoint=found[-1].name,
        command=' '.join(['python', *map(str, command)]))


def curve(args: argparse.Namespace) -> None:
    """Draw losses and mAP over the steps."""
    file = max(args.work_dir.glob('*/vis_data/scalars.json'), key=os.path.getmtime)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    losses = [(row['step'], row['loss']) for row in rows if 'loss' in row]
    precision = [(row['step'], row['pascal_voc/mAP']) for row in rows
                 if 'pascal_voc/mAP' in row]
    figure, left = pyplot.subplots(figsize=(7, 4), layout='constrained')
    left.plot(*zip(*losses, strict=True), color='tab:blue')
    left.set(xlabel='step', ylabel='loss', ylim=(0, None))
    right = left.twinx()
    if precision:
        right.plot(*zip(*precision, strict=True), 'o-', color='tab:orange')
    right.set(ylabel='mAP on val', ylim=(0, 1))
    figure.savefig(args.out / 'curve.png', dpi=120)


def call(command: list, args: argparse.Namespace, log) -> str | None:
    """Run one command; what went wrong, or None."""
    command = [sys.executable, *map(str, command)]
    print(f'    {" ".join(command[1:])}', flush=True)
    log.write(f'\n$ {" ".join(command)}\n')
    log.flush()
    env = dict(os.environ, COLUMNS='120')
    try:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT,
                              timeout=args.limit, env=env)
    except subprocess.TimeoutExpired:
        return f'took more than {args.limit} s'
    if done.returncode:
        lines = (args.out / 'log.txt').read_text().strip().splitlines()
        return f'status {done.returncode}: {lines[-1]}'
    return None


def write(args: argparse.Namespace, figures: dict) -> None:
    """``figures.json``, and the same as tables."""
    (args.out / 'figures.json').write_text(json.dumps(figures, indent=1))
    device = (torch.cuda.get_device_name() if args.device.startswith('cuda')
              else f'{os.cpu_count()} CPU cores')
    lines = [f'# {device}, {date.today()}, torch {torch.__version__}', '',
             '| task | | median s | ratio | GFLOP | of the best rate | peak GiB | '
             'waits |', '| --- ' * 8 + '|']
    for name, part in figures.items():
        for each in part.get('results', []):
            lines.append(
                f'| {name} | {each["name"]} | {each["median"]:.4f} | '
                f'{each["ratio"]:.2f} | {each["flops"] / 1e9:.0f} | '
                f'{percent(each["share"])} | {each["memory"] / 2**30:.2f} | '
                f'{each["waits"]} |')
    lines += ['', *(f'- {name}: **failed**, {part["failed"]}'
                    for name, part in figures.items() if 'failed' in part)]
    if 'mAP' in figures.get('bccd', {}):
        part = figures['bccd']
        lines += ['', f'    {part["command"]}', '',
                  f'{part["seconds"] / 60:.0f} min, {part["checkpoint"]}; on the test '
                  f'split: mAP **{part["mAP"]:.3f}**, AP50 **{part["AP50"]:.3f}**, '
                  f'{part["per_class"]}', '', '![curve](curve.png)']
    (args.out / 'report.md').write_text('\n'.join(lines) + '\n')


if __name__ == '__main__':
    sys.exit(main())
