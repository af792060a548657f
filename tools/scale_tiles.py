"""What tiles find that the shrunken picture hides, and what they cost.

    python tools/scale_tiles.py [--steps 2000] [--side 4000] [--tiff 20000]
        [--work-dir DIR] [--write PAGE]

Generates pictures with objects of 12 to 400 pixels, trains the recipe's detector on
tiles of such, and tests it on larger ones, shrunken and in tiles. It trains for a
number of steps in fp32, so that the accuracy is not that of the machine's speed.
Then the time of a picture in tiles beside that of its tiles alone, and the memory that
a TIFF takes of which only tiles are read.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from markdown_table import table_text, write_table
from mmengine.config import Config

from frcnn_plugin import Detector
from frcnn_plugin.commands.test import test as run_test
from frcnn_plugin.commands.train import train
from frcnn_plugin.datasets.tiles import tiles_of
from frcnn_plugin.datasets.voc_annotation import VOCObject
from frcnn_plugin.datasets.voc_folder import VOCFolder
from frcnn_plugin.engine.timed_train_loop import WARM_UP
from frcnn_plugin.inference.tiled_detector import TiledDetector
from frcnn_plugin.prepare.shapes import CLASSES, outline, texture
from frcnn_plugin.prepare.voc_writer import Picture, voc_annotation
from frcnn_plugin.recipe.facts import facts_of
from frcnn_plugin.recipe.recipe import config_of, recipe_for
from frcnn_plugin.recipe.tiled import tiles_with_boxes

SIZES = (12, 400)  # pixels of an object
DENSITY = 150 / 4000**2  # objects of a pixel, tried
COLOURS = dict(zip(CLASSES, 255 * np.array([  # BGR: of 12 pixels a shape tells little
    (0, 0, 1), (0, 1, 0), (1, 0.2, 0), (0, 0.9, 1)]), strict=True))
TILE = 384
TRAIN_SIDE = 1500  # pixels: smaller pictures are read in less time
COUNTS = dict(train=80, test=6)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--steps', type=int, default=2000)
    parser.add_argument('--side', type=int, default=4000, metavar='PIXELS')
    parser.add_argument('--tiff', type=int, default=20_000, metavar='PIXELS')
    parser.add_argument('--work-dir', type=Path, help='default: a temporary folder')
    parser.add_argument('--write', type=Path, metavar='PAGE')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.work_dir) as name:
        folder = Path(name)
        generate(folder / 'data', args.side)
        config_of_tiles(folder / 'data', args.steps).dump(folder / 'tiles.py')
        train([str(folder / 'tiles.py'), '--work-dir', str(folder / 'run'), '--seed',
               '0', '--from-scratch'])
        checkpoint = Path((folder / 'run/last_checkpoint').read_text())
        rows = [accuracy(folder, checkpoint, 'the picture, shrunken', '--tiles', '0'),
                accuracy(folder, checkpoint, 'tiles')]
        head = ('detected in', 'AP', 'AP of small ones', 'of medium ones',
                'of large ones')
        print(table_text(head, rows))
        print(f'a picture in tiles takes {cost(folder, checkpoint):.2f} times as long '
              'as its tiles')
        memory, count = tiff(folder, checkpoint, args.tiff)
        print(f'a TIFF of {args.tiff}x{args.tiff} pixels: {count} tiles, '
              f'{memory:.0f} MiB at the peak')
        if args.write:
            write_table(args.write, 'tiles', head, rows)
    return 0


def config_of_tiles(root: Path, steps: int) -> Config:
    """The recipe for the tiles of a data set, in steps instead of minutes."""
    data = VOCFolder(data_root=str(root), split='train', pipeline=[],
                     metainfo=dict(classes=CLASSES))
    entries = map(data.get_data_info, range(len(data)))
    pictures = [
        Picture(each['img_path'], Path(each['img_path']), each['width'], each['height'],
                [VOCObject(CLASSES[item['bbox_label']], item['bbox'])
                 for item in each['instances']]) for each in entries]
    recipe = recipe_for(facts_of(tiles_with_boxes(pictures, TILE)), tiles=TILE)
    cfg = config_of(recipe, list(CLASSES), root, ['train', 'test'])
    warm_up = max(1, round(WARM_UP * steps))
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=steps)
    cfg.param_scheduler = [
        dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=warm_up),
        dict(type='CosineAnnealingLR', by_epoch=False, begin=warm_up, end=steps)]
    cfg.default_hooks.checkpoint.update(interval=steps)
    return cfg


def generate(root: Path, side: int) -> None:
    """A data set in VOC layout."""
    for name in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
        (root / name).mkdir(parents=True)
    for place, (split, count) in enumerate(COUNTS.items()):
        names = [f'{split}_{number}' for number in range(count)]
        (root / f'ImageSets/Main/{split}.txt').write_text('\n'.join(names))
        for number, name in enumerate(names):
            pixels = TRAIN_SIDE if split == 'train' else side
            image, objects = draw(np.random.default_rng([place, number]), pixels)
            cv2.imwrite(str(root / f'JPEGImages/{name}.jpg'), image)
            (root / f'Annotations/{name}.xml').write_bytes(
                voc_annotation(f'{name}.jpg', image.shape, objects))


def draw(rng: np.random.Generator, side: int) -> tuple[np.ndarray, list[VOCObject]]:
    """A picture with objects that do not cover each other."""
    image = np.clip(texture(rng, side, side), 0, 255).astype(np.uint8)
    taken, objects = np.zeros((side, side), bool), []
    for _ in range(round(DENSITY * side**2)):
        name = CLASSES[rng.integers(len(CLASSES))]
        size = np.exp(rng.uniform(*np.log(SIZES)))
        turn = rng.uniform(0, 2 * np.pi)
        points = outline(name) @ np.array([[np.cos(turn), -np.sin(turn)],
                                           [np.sin(turn), np.cos(turn)]])
        points *= size / np.ptp(points, axis=0).max()
        points += rng.uniform(-points.min(0), side - 1 - points.max(0))
        x1, y1 = np.floor(points.min(0)).astype(int)
        x2, y2 = np.ceil(points.max(0)).astype(int)
        if taken[y1:y2 + 1, x1:x2 + 1].any():
            continue
        taken[y1:y2 + 1, x1:x2 + 1] = True
        colour = np.clip(COLOURS[name] + rng.uniform(-40, 40, 3), 0, 255)
        cv2.fillPoly(image, [np.round(points).astype(np.int32)], colour.tolist())
        objects.append(VOCObject(name, (float(x1), float(y1), float(x2), float(y2))))
    return image, objects


def accuracy(folder: Path, checkpoint: Path, title: str, *words: str) -> list[str]:
    """A row of the table."""
    found = run_test([
        str(checkpoint), '--data-root', str(folder / 'data'), *words, '--work-dir',
        str(folder / f'test{len(words)}'), '--cfg-options',
        'default_hooks.report=None'])
    return [title, *(f'{100 * found[name]:.1f}' for name in (
        'AP', 'AP_small', 'AP_medium', 'AP_large'))]


def cost(folder: Path, checkpoint: Path) -> float:
    """The time of a picture in tiles over that of its tiles, each the better of two."""
    detector = Detector(checkpoint, device='cpu')
    tiled = TiledDetector(detector, TILE)
    image = cv2.imread(str(folder / 'data/JPEGImages/test_0.jpg'))
    parts = [np.ascontiguousarray(image[y1:y2, x1:x2])
             for x1, y1, x2, y2 in tiles_of(*image.shape[:2], TILE)]
    took = {}
    for name, run in (('warm-up', lambda: detector.detect(parts[:4])), *2 * [
            ('tiles', lambda: [detector.detect(parts[place:place + 4])
                               for place in range(0, len(parts), 4)]),
            ('picture', lambda: tiled.detect([image]))]):
        start = time.perf_counter()
        run()
        took[name] = min(took.get(name, math.inf), time.perf_counter() - start)
    return took['picture'] / took['tiles']


def tiff(folder: Path, checkpoint: Path, side: int) -> tuple[float, int]:
    """The most memory that ``frcnn detect`` takes for a TIFF, and its tiles."""
    import rasterio
    from rasterio.windows import Window

    path, block = folder / 'large.tif', 2000
    with rasterio.open(path, 'w', driver='GTiff', height=side, width=side, count=3,
                       dtype='uint8', photometric='rgb', tiled=True, compress='deflate',
                       BIGTIFF='YES') as file:
        for place in range(0, side * (side // block), block):
            row, column = place // side * block, place % side
            pixels = texture(np.random.default_rng(place), block, block)
            file.write(np.clip(pixels, 0, 255).astype(np.uint8).transpose(2, 0, 1),
                       window=Window(column, row, block, block))
    code = ('import sys; from frcnn_plugin.commands.detect import detect;'
            'detect(sys.argv[1:]); print(open("/proc/self/status").read())')
    done = subprocess.run(
        [sys.executable, '-c', code, str(path), str(checkpoint), '-o',
         str(folder / 'found'), '--tiles', str(2 * TILE), '--device', 'cpu'],
        check=True, text=True, stdout=subprocess.PIPE).stdout
    line = (folder / 'found/detections.jsonl').read_text()
    assert json.loads(line)['width'] == side
    return (int(done.partition('VmHWM:')[2].split()[0]) / 1024,
            len(tiles_of(side, side, 2 * TILE)))


if __name__ == '__main__':
    sys.exit(main())
