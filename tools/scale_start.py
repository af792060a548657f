"""What it costs to begin a training on very many annotations.

    python tools/scale_start.py [--pictures 100000] [--work-dir DIR]
        [--write docs/scale.md]

Generates so many pictures with ten boxes each, as XML files and as one COCO file. Reads
each in a new process, on one core and on all, and then loads samples with one worker of
a data loader and with eight. Memory is that of all processes together, where what they
share counts once (PSS).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from markdown_table import table_text, write_table

from frcnn_plugin.datasets.voc_annotation import VOCObject
from frcnn_plugin.prepare.voc_writer import voc_annotation

SIZE, BOXES = (96, 72), 10
CLASSES = ('a', 'b')
LINKS = 30_000  # to one file, fewer than a file system allows
SAMPLES = 4000  # that are loaded
HEAD = ('read', 'by', 'seconds', 'peak memory, MiB')
EVERY = 0.05  # seconds between two looks at the memory


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--pictures', type=int, default=100_000, metavar='N')
    parser.add_argument('--work-dir', type=Path, help='default: a temporary folder')
    parser.add_argument('--write', type=Path, metavar='PAGE')
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(dir=args.work_dir) as folder:
        generate(Path(folder), args.pictures)
        for kind, title in dict(
                voc=f'{args.pictures:,} XML files',
                coco=f'a COCO file of {args.pictures * BOXES:,} boxes').items():
            for cores in dict.fromkeys([1, len(os.sched_getaffinity(0))]):
                found = in_new_process(folder, kind, str(cores), '0')
                rows.append((title, f'{cores} core{"s" * (cores > 1)}',
                             f'{found["seconds"]:.1f}', f'{found["peak"]:.0f}'))
                print('  '.join(rows[-1]), flush=True)

            memory = {}
            for workers in (1, 8):
                found = in_new_process(folder, kind, '0', str(workers))
                memory[workers] = found['loading']
                rows.append((f'{SAMPLES:,} samples of them', f'{workers} worker'
                             f'{"s" * (workers > 1)}', f'{found["load_seconds"]:.1f}',
                             f'{found["loading"]:.0f}'))
                print('  '.join(rows[-1]), flush=True)
            print(f'eight workers: {memory[8] / memory[1]:.2f} times the memory of one')
    if args.write:
        write_table(args.write, 'start of training', HEAD, rows)
    else:
        print(table_text(HEAD, rows))


def generate(root: Path, number: int) -> None:
    """A data set in VOC layout, and the same as a COCO file."""
    rng = np.random.default_rng(0)
    for name in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
        (root / name).mkdir(parents=True)
    image = cv2.imencode('.jpg', np.full((*SIZE[::-1], 3), 127, np.uint8))[1].tobytes()
    names = [f'{place:06d}' for place in range(number)]
    coco = dict(images=[], annotations=[], categories=[
        dict(id=label, name=name) for label, name in enumerate(CLASSES)])
    for place, name in enumerate(names):
        file = root / f'JPEGImages/{name}.jpg'
        if place % LINKS == 0:
            file.write_bytes(image)
            original = file
        else:
            os.link(original, file)
        corners = rng.integers(1, (70, 50), (BOXES, 2)).tolist()
        labels = rng.integers(len(CLASSES), size=BOXES).tolist()
        (root / f'Annotations/{name}.xml').write_bytes(voc_annotation(
            file.name, (*SIZE[::-1], 3), [
                VOCObject(CLASSES[label], (x, y, x + 20, y + 20))
                for label, (x, y) in zip(labels, corners, strict=True)]))
        coco['images'].append(dict(
            id=place, file_name=file.name, width=SIZE[0], height=SIZE[1]))
        coco['annotations'] += [
            dict(id=place * BOXES + index, image_id=place, category_id=label,
                 bbox=[x - 1, y - 1, 21, 21], area=441, iscrowd=0)
            for index, (label, (x, y)) in enumerate(zip(labels, corners, strict=True))]
    (root / 'ImageSets/Main/train.txt').write_text('\n'.join(names))
    (root / 'coco.json').write_text(json.dumps(coco))


def in_new_process(*words: str) -> dict:
    """What :func:`measure` finds there."""
    done = subprocess.run([sys.executable, __file__, 'measure', *words], check=True,
                          text=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout.splitlines()[-1])


def measure(folder: str, kind: str, cores: str, workers: str) -> None:
    """Read a data set on so many cores, or on all; load samples with so many workers.

    Prints the seconds and the MiB of both.
    """
    from mmengine.registry import init_default_scope

    from frcnn_plugin.datasets import CocoFolder, VOCFolder

    init_default_scope('frcnn_plugin')
    if int(cores):
        os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:int(cores)])
    common = dict(data_root=folder, metainfo=dict(classes=CLASSES), pipeline=[
        dict(type='LoadImageFromFile'), dict(type='LoadAnnotations', with_bbox=True),
        dict(type='PackDetInputs')])
    with Memory() as memory:
        began = time.monotonic()
        dataset = (VOCFolder(split='train', **common) if kind == 'voc' else CocoFolder(
            ann_file='coco.json', data_prefix=dict(img='JPEGImages/'), **common))
        found = dict(seconds=time.monotonic() - began)
    found['peak'] = memory.peak
    if int(workers):
        with Memory() as memory:
            began = time.monotonic()
            load(dataset, int(workers))
            found['load_seconds'] = time.monotonic() - began
        found['loading'] = memory.peak
    print(json.dumps(found))


def load(dataset: Sequence, workers: int) -> None:
    """Load samples as a training does, in random order."""
    from mmengine.runner import Runner

    loader = Runner.build_dataloader(dict(
        dataset=dataset, batch_size=8, num_workers=workers,
        sampler=dict(type='DefaultSampler', shuffle=True),
        collate_fn=dict(type='pseudo_collate')), seed=0)
    for place, _ in enumerate(loader):
        if place * 8 >= SAMPLES:
            break


class Memory:
    """The most memory of this process and its children, while it is entered.

    Attributes:
        peak: In MiB.
    """

    def __enter__(self) -> 'Memory':
        self.peak, self.over = 0.0, threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()
        return self

    def look(self) -> None:
        """Note the peak until it is over."""
        while not self.over.wait(EVERY):
            self.peak = max(self.peak, sum(map(memory_of, family())))

    def __exit__(self, *error) -> None:
        self.over.set()
        self.thread.join()


def family() -> list[int]:
    """This process and its children."""
    children = Path(f'/proc/self/task/{os.getpid()}/children').read_text().split()
    return [os.getpid(), *map(int, children)]


def memory_of(process: int) -> float:
    """MiB of a process, with its part of what it shares with others."""
    try:
        text = Path(f'/proc/{process}/smaps_rollup').read_text()
        return int(text.partition('Pss:')[2].split()[0]) / 1024
    except (OSError, IndexError):  # it has ended
        return 0.0


if __name__ == '__main__':
    if sys.argv[1:2] == ['measure']:
        measure(*sys.argv[2:])
    else:
        main()
