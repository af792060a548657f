"""``tools/detect.py``: detect in images and videos; draw and list what is found."""

import argparse
import glob
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import mmcv
import numpy as np
from rich.console import Console
from rich.progress import track

from ..errors import UserError
from ..inference import Detections, Detector
from ..inference.detector import read_image
from ..io.whole_files import write_whole
from ..visualization.draw import Drawer

IMAGES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
VIDEOS = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Detect in images and videos.')
    parser.add_argument('input', help='an image, a folder, a video, or a pattern such '
                        "as 'pictures/*.jpg'")
    parser.add_argument('model', nargs='+', metavar='[CONFIG] CHECKPOINT',
                        help='a checkpoint of training; it carries its config, another '
                        'one is named before it')
    parser.add_argument('-o', '--out', type=Path, default=Path('detections'),
                        metavar='DIR', help='pictures and detections.json go there '
                        '(default: %(default)s)')
    parser.add_argument('--score-thr', type=float, default=0.3, metavar='SCORE',
                        help='what has less is left out (default: %(default)s)')
    parser.add_argument('--batch-size', type=int, default=4, metavar='N',
                        help='images at once (default: %(default)s)')
    parser.add_argument('--device', help='cuda, cpu, ...; default: a GPU if there is '
                        'one')
    parser.add_argument('--classes', nargs='+', metavar='NAME',
                        help='names in place of those in the checkpoint')
    parser.add_argument('--no-pictures', action='store_true',
                        help='write detections.json only')
    args = parser.parse_args(argv)
    if len(args.model) > 2:
        parser.error('one config and one checkpoint at most; quote a pattern of images')
    if args.batch_size < 1:
        raise UserError(f'--batch-size is {args.batch_size}; it must be at least 1')
    return args


def detect(argv: list[str] | None = None) -> int:
    """Run the command.

    Returns:
        int: 1 if an image could not be read, else 0.

    Raises:
        UserError: If something is wrong that the user can mend.
    """
    args = parse_args(argv)
    paths = find_inputs(args.input)
    targets = find_targets(paths, args)
    detector = Detector(args.model[-1], args.model[0] if len(args.model) == 2 else None,
                        args.device, args.classes)
    drawer = None if args.no_pictures else Drawer(detector.classes)
    results, broken = [], []
    images = [path for path in paths if path.suffix.lower() not in VIDEOS]
    readable = read_all(images, broken)
    for path, image, found in track(
            run(detector, readable, args), args.input, total=len(images),
            disable=not images, console=Console(stderr=True)):
        results += as_coco(found, detector.classes, len(results), str(path))
        if drawer:
            mmcv.imwrite(drawer(image, found), str(targets[path]))
    for path in paths:
        if path.suffix.lower() in VIDEOS:
            results += detect_in_video(path, targets[path], detector, drawer, args)
    write_whole(args.out / 'detections.json', json.dumps(dict(
        categories=[dict(id=i, name=name) for i, name in enumerate(detector.classes)],
        annotations=results), indent=1).encode())
    for message in broken:
        print(f'warning: {message}; left out')
    print(f'{args.out}: {len(results)} detections in {len(images) - len(broken)} images'
          + (f' and {len(paths) - len(images)} videos' if len(images) < len(paths)
             else ''))
    return int(bool(broken))


def find_inputs(text: str) -> list[Path]:
    """The images and videos that a path or a pattern stands for.

    Raises:
        UserError: If there is none.
    """
    path = Path(text).expanduser()
    if path.is_dir():
        found = [file for file in sorted(path.rglob('*')) if file.is_file()]
    elif path.is_file():
        found = [path]
    else:
        found = [Path(file) for file in sorted(glob.glob(str(path), recursive=True))]
    kept = [file for file in found if file.suffix.lower() in IMAGES + VIDEOS]
    if not kept:
        raise UserError(f'{text}: no such image, folder or video' if not found else
                        f'{text}: no image or video in it; they end with '
                        f'{", ".join(IMAGES + VIDEOS)}')
    return kept


def find_targets(paths: list[Path], args: argparse.Namespace) -> dict[Path, Path]:
    """Where the picture of each image goes.

    Raises:
        UserError: If two go to one place, or one goes over an image that is there.
    """
    root = Path(args.input).expanduser()
    if not root.is_dir():
        root = Path(os.path.commonpath([path.parent.absolute() for path in paths]))
    inputs = {path.resolve() for path in paths}
    targets: dict[Path, Path] = {}
    for path in paths:
        target = args.out / path.absolute().relative_to(root.absolute())
        if path.suffix.lower() in VIDEOS:
            target = target.with_suffix('.mp4')
        if target.resolve() in inputs and not args.no_pictures:
            raise UserError(f'{path}: its picture would be written over {target}; take '
                            'another folder with -o')
        if target in targets.values():
            raise UserError(f'{path}: its picture and another one would both be '
                            f'written to {target}; rename one of them')
        targets[path] = target
    return targets


def read_all(paths: list[Path],
             broken: list[str]) -> Iterator[tuple[Path, np.ndarray]]:
    """All images that can be read; what is wrong with the others is noted.

    Raises:
        UserError: If there is one image only, and it can not be read.
    """
    for path in paths:
        try:
            yield path, read_image(path)
        except UserError as error:
            if len(paths) == 1:
                raise
            broken.append(str(error))


def run(detector: Detector, images: Iterable[tuple[object, np.ndarray]],
        args: argparse.Namespace) -> Iterator[tuple[object, np.ndarray, Detections]]:
    """Each image with its detections."""
    waiting: list = []

    def arrays() -> Iterator[np.ndarray]:
        for name, image in images:
            waiting.append((name, image))
            yield image

    for found in detector.stream(arrays(), args.batch_size):
        yield (*waiting.pop(0), found.above(args.score_thr))


def detect_in_video(path: Path, target: Path, detector: Detector,
                    drawer: Drawer | None, args: argparse.Namespace) -> list[dict]:
    """Detect in all frames; the pictures become a video again.

    Raises:
        UserError: If it can not be read.
    """
    video = cv2.VideoCapture(str(path))
    if not video.isOpened():
        raise UserError(f'{path}: not a readable video')
    total = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    rate = video.get(cv2.CAP_PROP_FPS) or 25.0
    results, writer = [], None

    def frames() -> Iterator[tuple[int, np.ndarray]]:
        number = 0
        while True:
            good, frame = video.read()
            if not good:
                return
            yield number, frame
            number += 1

    steps = track(run(detector, frames(), args), str(path), total=max(total, 1),
                  console=Console(stderr=True))
    for number, frame, found in steps:
        results += as_coco(found, detector.classes, len(results), str(path), number)
        if drawer:
            picture = drawer(frame, found)
            if writer is None:
                target.parent.mkdir(parents=True, exist_ok=True)
                writer = cv2.VideoWriter(
                    str(target), cv2.VideoWriter_fourcc(*'mp4v'), rate,
                    (picture.shape[1], picture.shape[0]))
            writer.write(picture)
    video.release()
    if writer is not None:
        writer.release()
    return results


def as_coco(found: Detections, classes: tuple[str, ...], begin: int, file: str,
            frame: int | None = None) -> list[dict]:
    """Detections as COCO lists results, with names beside the numbers."""
    entries = []
    for offset, (box, score, label) in enumerate(zip(
            found.boxes, found.scores, found.labels, strict=True)):
        x1, y1, x2, y2 = (round(float(value), 3) for value in box)
        entries.append(dict(
            id=begin + offset, file_name=file, image_id=Path(file).stem,
            category_id=int(label), category=classes[label],
            bbox=[x1, y1, round(x2 - x1, 3), round(y2 - y1, 3)],
            score=round(float(score), 5)))
        if frame is not None:
            entries[-1]['frame'] = frame
    return entries
