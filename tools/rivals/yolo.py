"""Ultralytics' YOLO from random weights, with its own budget of time.

Needs ``pip install ultralytics`` in an environment of its own. It picks the best of its
validations, and detects as in its own ``val``: from a score of 0.001, NMS at 0.7.
"""

from pathlib import Path

import torch
from common import run
from ultralytics import YOLO

SIZE = 640


def train(data: dict, minutes: float, seed: int, folder: Path,
          model: str = 'yolo11n'):
    """Train; ``folder`` gets the data in YOLO's layout and the run."""
    root = folder / 'data'
    for split in ('train', 'val', 'test'):
        images, labels = root / 'images' / split, root / 'labels' / split
        for each in (images, labels):
            each.mkdir(parents=True, exist_ok=True)
        for number, picture in enumerate(data[split] or data['train']):
            source = Path(picture['image'])
            link = images / f'{number:06d}{source.suffix.lower()}'
            link.unlink(missing_ok=True)
            link.symlink_to(source)
            (labels / f'{number:06d}.txt').write_text(lines_of(picture))
    names = ''.join(f'  {label}: {name!r}\n' for label, name
                    in enumerate(data['classes']))
    (root / 'data.yaml').write_text(
        f'path: {root}\ntrain: images/train\nval: images/val\nnames:\n{names}')
    torch.set_num_threads(2)
    network = YOLO(f'{model}.yaml')
    network.train(data=str(root / 'data.yaml'), time=minutes / 60, imgsz=SIZE,
                  device='cpu', seed=seed, pretrained=False, project=str(folder),
                  name='run', exist_ok=True, workers=2, verbose=False, plots=False)
    best = YOLO(folder / 'run' / 'weights' / 'best.pt')

    def detect(image: str):
        (result,) = best.predict(image, conf=0.001, iou=0.7, max_det=300, imgsz=SIZE,
                                 device='cpu', verbose=False)
        return (result.boxes.xyxy.tolist(), result.boxes.cls.int().tolist(),
                result.boxes.conf.tolist())

    return detect


def lines_of(picture: dict) -> str:
    """The boxes of a picture in YOLO's format."""
    width, height = picture['width'], picture['height']
    return ''.join(
        f'{label} {(x1 + x2) / 2 / width} {(y1 + y2) / 2 / height} '
        f'{(x2 - x1) / width} {(y2 - y1) / height}\n' for label, (x1, y1, x2, y2)
        in zip(picture['labels'], picture['boxes'], strict=True))


if __name__ == '__main__':
    run(train, __doc__.splitlines()[0])
