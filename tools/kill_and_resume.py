"""Does a run that is killed and resumed again and again end as if it had not been?

    python tools/kill_and_resume.py [--kills 20] [--only NAME ...] [--write FILE]

Trains the demo's detector, with small heads, on a few generated pictures: once
undisturbed, and once killed (SIGKILL) at random moments, while it starts, trains,
validates or writes a checkpoint, and resumed each time. Compares the losses of all
steps and all weights, bit for bit. Ends with status 1 if one differs.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from markdown_table import write_table
from rich.console import Console
from rich.table import Table

import frcnn_plugin  # noqa: F401 - makes checkpoints readable
from frcnn_plugin.io.checkpoints import read_checkpoint
from frcnn_plugin.prepare.make_shapes import make_shapes

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / 'configs/frcnn_r18_c4_shapes.py'
STEPS = 12  # in a pass over the 24 pictures
WARM_UP = 50  # steps, in the config
COMMON = [f'{part}_dataloader.batch_size=2' for part in ('val', 'test')] + [
    'default_hooks.checkpoint.interval=2', 'default_hooks.logger.interval=1',
    'model.rpn_head.feat_channels=32', 'model.roi_head.bbox_head.fc_channels=[32,32]',
    'default_hooks.report=None', 'log_processor.window_size=1',
    'val_dataloader.num_workers=0', 'val_dataloader.persistent_workers=False']
ITERATIONS = ['train_cfg.val_interval=24', 'train_dataloader.batch_size=2']
EPOCHS = ['train_cfg._delete_=True', 'train_cfg.type=EpochBasedTrainLoop',
          'train_cfg.val_interval=2',
          'train_dataloader.sampler.type=DefaultSampler',
          'train_dataloader.batch_size=2', 'log_processor.by_epoch=True']
TORCHRUN = ['-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2']
CASES = {  # name: before the command, its options, and workers
    'iterations, no workers': ([], ITERATIONS, 0),
    'iterations, 2 workers': ([], ITERATIONS, 2),
    'epochs, 2 workers': ([], EPOCHS, 2),
    'iterations, 2 processes of 1 worker': (
        TORCHRUN, [*ITERATIONS, 'train_dataloader.batch_size=1'], 1),
}
MOMENTS = ('starting', 'training', 'writing')


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=int, default=20, metavar='N',
                        help='how often each run is killed (default: %(default)s)')
    parser.add_argument('--passes', type=int, default=12, metavar='N',
                        help='epochs of each run (default: %(default)s)')
    parser.add_argument('--only', nargs='+', choices=list(CASES), metavar='NAME',
                        help=f'only these runs: {"; ".join(CASES)}')
    parser.add_argument('--seed', type=int, default=0,
                        help='of the random moments (default: %(default)s)')
    parser.add_argument('--write', type=Path, metavar='FILE',
                        help='replace the table in this document')
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / 'shapes'
        make_shapes(data, dict(train=24, val=4, test=4))
        for name in args.only or CASES:
            rows.append(compare(name, args, data, Path(folder)))
    head = ['run', 'killed while', 'steps taken', 'steps of the run', 'losses',
            'weights and optimizer']
    table = Table(*head)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    if args.write:
        write_table(args.write, 'kills', head, rows)
    return int(any(row[-2:] != ['equal', 'equal'] for row in rows))


def compare(name: str, args: argparse.Namespace, data: Path, folder: Path) -> list[str]:
    """One row of the table."""
    print(f'{name}: undisturbed', flush=True)
    whole, parts = folder / f'{name} whole', folder / f'{name} parts'
    status = launch(name, args.passes, data, whole).wait()
    if status:
        raise SystemExit(f'error: the undisturbed run ended with status {status}')
    chance = random.Random(args.seed)
    killed = []
    while len(killed) < args.kills:
        moment = chance.choice(MOMENTS)
        process = launch(name, args.passes, data, parts)
        wait_for(moment, process, parts, chance)
        if process.poll() is not None:
            raise SystemExit(f'error: the run ended after {len(killed)} kills, with '
                             f'status {process.returncode}')
        kill_all(parts)
        process.wait()
        killed.append(moment)
        print(f'{name}: kill {len(killed)} of {args.kills}, {moment}, after '
              f'{len(losses(parts))} steps', flush=True)
    status = launch(name, args.passes, data, parts).wait()
    if status:
        raise SystemExit(f'error: the resumed run ended with status {status}')
    expected, found = losses(whole), losses(parts)
    same = all(found.get(step) == values for step, values in expected.items())
    taken = sum(len(file.read_text().splitlines())
                for file in parts.glob('*/vis_data/scalars.json'))
    counts = ', '.join(f'{moment} {killed.count(moment)}' for moment in MOMENTS)
    row = [name, counts, str(taken), str(len(expected)),
           'equal' if same and found.keys() == expected.keys() else 'DIFFERENT',
           'equal' if equal(last(parts), last(whole)) else 'DIFFERENT']
    print(f'{name}: losses {row[-2]}, weights and optimizer {row[-1]}', flush=True)
    return row


def launch(name: str, passes: int, data: Path, work_dir: Path) -> subprocess.Popen:
    """Start or resume the run."""
    before, options, workers = CASES[name]
    steps = STEPS * passes
    warm_up = min(WARM_UP, steps // 2)
    end = [f'param_scheduler.0.end={warm_up}', f'param_scheduler.1.begin={warm_up}',
           f'param_scheduler.1.end={steps}', f'train_cfg.max_epochs={passes}'
           if options is EPOCHS else f'train_cfg.max_iters={steps}']
    loader = [f'train_dataloader.num_workers={workers}',
              f'train_dataloader.persistent_workers={workers > 0}']
    command = [sys.executable, *before, ROOT / 'tools/train.py', CONFIG, '--data-root',
               data, '--work-dir', work_dir, '--seed', '1', '--resume']
    command += ['--launcher', 'pytorch'] if before else []
    with Path(f'{work_dir}.log').open('a') as log:
        return subprocess.Popen(
            [*map(str, command), '--cfg-options', *COMMON, *options, *end, *loader],
            stdout=log, stderr=log,
            env=dict(os.environ, OMP_NUM_THREADS='1'))


def kill_all(work_dir: Path) -> None:
    """Kill every process of a run, its loaders' and its launcher's too, at once."""
    for folder in Path('/proc').glob('[0-9]*'):
        try:
            if f'{work_dir}'.encode() in (folder / 'cmdline').read_bytes().split(b'\0'):
                os.kill(int(folder.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            pass


def wait_for(moment: str, process: subprocess.Popen, work_dir: Path,
             chance: random.Random) -> None:
    """Wait for a random moment of that kind."""
    if moment == 'starting':
        time.sleep(chance.uniform(0, 6))
        return
    before = lines(work_dir)
    wanted = before + chance.randint(1, 10)
    while lines(work_dir) < wanted and process.poll() is None:
        time.sleep(0.01)
    if moment == 'training':
        time.sleep(chance.uniform(0, 0.5))
        return
    while not list(work_dir.glob('.*.part')) and process.poll() is None:
        time.sleep(0.0005)
    time.sleep(chance.uniform(0, 0.02))


def lines(work_dir: Path) -> int:
    """How many lines all the logs of a run have."""
    return sum(file.read_bytes().count(b'\n')
               for file in work_dir.glob('*/vis_data/scalars.json'))


def losses(work_dir: Path) -> dict[int, set]:
    """All losses that any part of the run logged for a step."""
    found: dict[int, set] = {}
    for file in work_dir.glob('*/vis_data/scalars.json'):
        for line in file.read_text().splitlines():
            row = json.loads(line) if line.endswith('}') else {}
            if 'loss' in row:
                found.setdefault(row['step'], set()).add(tuple(
                    value for key, value in sorted(row.items()) if 'loss' in key))
    return found


def last(work_dir: Path) -> dict:
    """Weights, optimizer, schedules and the best score at the end."""
    content = read_checkpoint((work_dir / 'last_checkpoint').read_text())
    return {key: content[key] for key in ('state_dict', 'optimizer', 'param_schedulers')
            } | {'best': content['message_hub']['runtime_info'].get('best_score')}


def equal(found, expected) -> bool:
    """Whether two nested contents are the same, tensors bit for bit."""
    if isinstance(expected, torch.Tensor):
        return torch.equal(found, expected)
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            equal(found[key], expected[key]) for key in expected)
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(
            equal(*pair) for pair in zip(found, expected, strict=True))
    return bool(found == expected)


if __name__ == '__main__':
    sys.exit(main())
