"""What a command costs as its input grows, and what a kill costs it.

    python tools/scale.py detect [--numbers 1000 10000 100000 1000000] [--flat]
        [--starts 10] [--work-dir DIR] [--write docs/scale.md]
    python tools/scale.py kills [--kills 20] [--pictures 2000] [--processes 2]
        [--work-dir DIR]

Pictures are links to a few small ones, in folders of a thousand, or all in one. ``frcnn
detect`` runs on them with a network that answers at once, so that all the rest is
measured: listing, reading, writing, ``detections.json``. Single starts scatter by
tenths of a second, and a machine is not as quick all the time: the seconds to the first
result are the median of several starts, of all sizes in turn.

``kills`` compares the files of an undisturbed run with those of one that is killed
(SIGKILL) at random moments and resumed; of two processes under torchrun, one is killed.
It ends with status 1 if a byte differs.
"""

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from markdown_table import table_text, write_table
from PIL import Image

FOLDER = 1000  # links in a folder
PICTURES = 8  # that the links lead to
SLOW = 0.004  # seconds that the network takes where it is killed, for four pictures
HEAD = ('pictures', 'seconds to the first result', 'pictures a second',
        'peak memory, MiB', 'seconds in all')
TORCHRUN = [sys.executable, '-m', 'torch.distributed.run', '--standalone',
            '--nproc_per_node']


def main() -> int:
    """Run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('what', choices=['detect', 'kills'])
    parser.add_argument('--numbers', nargs='+', type=int,
                        default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument('--flat', action='store_true', help='all in one folder')
    parser.add_argument('--starts', type=int, default=10, metavar='N')
    parser.add_argument('--kills', type=int, default=20, metavar='N')
    parser.add_argument('--pictures', type=int, default=2000, metavar='N')
    parser.add_argument('--processes', type=int, default=1, metavar='N')
    parser.add_argument('--work-dir', type=Path, help='default: a temporary folder')
    parser.add_argument('--write', type=Path, metavar='PAGE')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.work_dir) as folder:
        return (measure_detect if args.what == 'detect' else kill)(args, Path(folder))


def measure_detect(args: argparse.Namespace, folder: Path) -> int:
    """Measure, print a table, and write it into a page if one is named."""
    places = {number: folder / f'pictures_{number}' for number in args.numbers}
    firsts: dict[int, list[float]] = {number: [] for number in places}
    for number, pictures in places.items():
        make_links(pictures, number, number if args.flat else FOLDER)
    for start in range(args.starts):
        for number, pictures in places.items():
            found = measured(pictures, folder / f'start_{number}_{start}',
                             only_first=True)
            firsts[number].append(found['first'])
    print('first results after', *(f'{statistics.median(each):.2f}'
                                   for each in firsts.values()), 's', flush=True)
    rows = []
    for number, pictures in places.items():
        found = measured(pictures, folder / f'found_{number}')
        rows.append((f'{number:,}', f'{statistics.median(firsts[number]):.2f}',
                     f'{number / (found["whole"] - found["first"]):,.0f}',
                     f'{found["memory"]:.0f}', f'{found["whole"]:.0f}'))
        print('  '.join(rows[-1]), flush=True)
    if args.write:
        write_table(args.write, 'scale of detect', HEAD, rows)
    else:
        print(table_text(HEAD, rows))
    return 0


def measured(pictures: Path, out: Path, only_first: bool = False) -> dict[str, float]:
    """What a run, whole or as far as its first result, printed of itself."""
    done = subprocess.run(command(pictures, out), env=environment(0.0, only_first),
                          check=True, text=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout.splitlines()[-1])


def kill(args: argparse.Namespace, folder: Path) -> int:
    """Compare a run that is killed with one that is not."""
    pictures, whole, torn = (folder / name for name in ('pictures', 'whole', 'torn'))
    make_links(pictures, args.pictures, FOLDER)
    (pictures / '00000/00000007.jpg').unlink()
    (pictures / '00000/00000007.jpg').write_text('no picture')
    begin(pictures, whole, args.processes).communicate()
    chance, kills = random.Random(0), 0
    moments = sorted(chance.randrange(args.pictures) for _ in range(args.kills))
    for moment in [*moments, None]:
        process = begin(pictures, torn, args.processes)
        while moment is not None and process.poll() is None and done(torn) <= moment:
            time.sleep(0.001)
        if moment is not None and process.poll() is None:
            kill_one(process.pid, args.processes)
            kills += 1
            print(f'kill {kills}: {done(torn)} of {args.pictures} lines', flush=True)
        said = process.communicate()[1]
    names = ('detections.jsonl', 'detections.json')
    same = all((torn / name).is_file()
               and (whole / name).read_bytes() == (torn / name).read_bytes()
               for name in names)
    left = sorted(file.name for file in torn.iterdir())
    alone = folder / 'alone'
    begin(pictures, alone, 1).communicate()
    same = same and all((whole / name).read_bytes() == (alone / name).read_bytes()
                        for name in names)
    print(f'{kills} kills: ' + (
        'the same bytes' if same else f'the files differ: {said[-2000:]}'), *left)
    return int(not same)


def done(out: Path) -> int:
    """Lines that all processes have written."""
    return sum(file.read_bytes().count(b'\n')
               for file in out.glob('detections*.jsonl'))


def kill_one(pid: int, processes: int) -> None:
    """Kill the process, or the last of those that torchrun started."""
    if processes > 1:
        children = subprocess.run(['pgrep', '--parent', str(pid)], text=True,
                                  stdout=subprocess.PIPE).stdout.split()
        if children:
            pid = int(children[-1])
    os.kill(pid, signal.SIGKILL)


def begin(pictures: Path, out: Path, processes: int) -> subprocess.Popen:
    """Start a run."""
    return subprocess.Popen(
        command(pictures, out, processes), text=True, env=environment(SLOW),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def command(pictures: Path, out: Path, processes: int = 1) -> list[str]:
    """The words that start ``frcnn detect`` with this network."""
    begin = [sys.executable] if processes == 1 else [*TORCHRUN, str(processes)]
    return [*begin, __file__, 'run', str(pictures), __file__, '-o', str(out),
            '--no-pictures', '--resume', '--launcher',
            'none' if processes == 1 else 'pytorch']


def environment(seconds: float, only_first: bool = False) -> dict[str, str]:
    """That of a process which begins now, with a network that takes so long.

    With ``only_first`` it ends after its first result.
    """
    return dict(os.environ, BEGAN=str(time.time()), NETWORK=str(seconds),
                ONLY_FIRST='yes' if only_first else '')


def make_links(root: Path, number: int, folder: int) -> None:
    """Links to small pictures, so many in each folder."""
    random = np.random.default_rng(0)
    originals = root.with_name(f'{root.name}_originals')
    originals.mkdir(parents=True)
    for place in range(PICTURES):
        pixels = random.integers(256, size=(6, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((96, 72)).save(originals / f'{place}.jpg')
    for place in range(number):
        target = root / f'{place // folder:05d}'
        if place % folder == 0:
            target.mkdir(parents=True)
        (target / f'{place:08d}.jpg').symlink_to(
            originals / f'{place % PICTURES}.jpg')


def run(words: list[str]) -> None:
    """``frcnn detect`` with a network that answers at once."""
    from frcnn_plugin.commands import chosen_detector, detect
    from frcnn_plugin.inference import Detector, Prediction
    from frcnn_plugin.stream import Results

    class AtOnce(Detector):
        classes = ('a', 'b')

        def __init__(self, *args, **options) -> None:
            boxes = np.tile(np.float32([[10, 10, 40, 50]]), (5, 1))
            self.answer = self.prediction(
                boxes, np.full(5, 0.9, np.float32), np.arange(5) % 2)

        def detect(self, images: list[np.ndarray]) -> list[Prediction]:
            time.sleep(seconds)
            return [self.answer] * len(images)

    began, seconds = (float(os.environ[name]) for name in ('BEGAN', 'NETWORK'))
    first: list[float] = []
    add = Results.add

    def note(results: Results, lines: list[bytes]) -> None:
        add(results, lines)
        if not first:
            first.append(time.time() - began)
            if os.environ['ONLY_FIRST']:
                print(json.dumps(dict(first=first[0])), flush=True)
                os._exit(0)

    Results.add, chosen_detector.Detector = note, AtOnce
    status = detect.detect(words)
    used = Path('/proc/self/status').read_text()
    memory = int(used.partition('VmHWM:')[2].split()[0]) / 1024
    print(json.dumps(dict(first=first and first[0], whole=time.time() - began,
                          memory=memory)))
    sys.exit(status)


if __name__ == '__main__':
    if sys.argv[1:2] == ['run']:
        run(sys.argv[2:])
    else:
        sys.exit(main())
