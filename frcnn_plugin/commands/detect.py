"""``frcnn detect``: detect in images and videos; draw and list what is found."""

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
from ..inference import Detector, Prediction
from ..inference.detector import read_image
from ..inference.prediction import CocoResults
from ..io.whole_files import write_whole
from ..visualization.draw import Drawer
from .parser import parse

IMAGES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
VIDEOS = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v')


def detect(argv: list[str] | None = None) -> int:
    """Run ``frcnn detect``.

    Returns 1 if an image could not be read, else 0.
    """
    args = parse('detect', argv)
    if args.batch_size < 1:
        raise UserError(f'--batch-size is {args.batch_size}; it must be at least 1')
    paths = find_inputs(args.input)
    names = relative_names(paths, args.input)
    targets = find_targets(names, args)
    detector = Detector(args.model[-1], args.model[0] if len(args.model) == 2 else None,
                        args.device, args.classes)
    drawer = None if args.no_pictures else Drawer(detector.classes)
    results, broken = CocoResults(detector.classes), []
    pictures = [path for path in paths if path.suffix.lower() not in VIDEOS]
    for path, image, found in track(
            run(detector, read_all(pictures, broken), args), args.input,
            total=len(pictures), disable=not pictures, console=Console(stderr=True)):
        results.add(results.add_image(names[path], image), found)
        if drawer:
            mmcv.imwrite(drawer(image, found), str(targets[path]))
    for path in paths:
        if path.suffix.lower() in VIDEOS:
            detect_in_video(path, names[path], targets[path], detector, drawer, results,
                            args)
    write_whole(args.out / 'detections.json', json.dumps(dict(
        images=results.images, annotations=results.annotations,
        categories=[dict(id=i, name=name) for i, name in enumerate(detector.classes)],
    ), indent=1).encode())
    for message in broken:
        print(f'warning: {message}; skipped')
    videos = len(paths) - len(pictures)
    print(f'{args.out}: {len(results.annotations)} detections in '
          f'{len(pictures) - len(broken)} images'
          + (f' and {videos} videos' if videos else ''))
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
                        f'{text}: no image or video in it; supported extensions: '
                        f'{", ".join(IMAGES + VIDEOS)}')
    return kept


def relative_names(paths: list[Path], text: str) -> dict[Path, str]:
    """The name of each file relative to the input: no two files have the same.

    Args:
        paths: The files.
        text: The folder that was given; for a pattern or one file the folder that all
            of them are in counts as given.
    """
    root = Path(text).expanduser()
    if not root.is_dir():
        root = Path(os.path.commonpath([path.parent.absolute() for path in paths]))
    return {path: path.absolute().relative_to(root.absolute()).as_posix()
            for path in paths}


def find_targets(names: dict[Path, str], args: argparse.Namespace) -> dict[Path, Path]:
    """Where the picture of each image goes.

    Raises:
        UserError: If two go to one place, or one goes over an image that is there.
    """
    inputs = {path.resolve() for path in names}
    targets: dict[Path, Path] = {}
    for path, name in names.items():
        target = args.out / name
        if path.suffix.lower() in VIDEOS:
            target = target.with_suffix('.mp4')
        if target.resolve() in inputs and not args.no_pictures:
            raise UserError(f'{path}: its picture would be written over {target}; '
                            'choose another folder with -o')
        if target in targets.values():
            raise UserError(f'{path}: its picture and another one would both be '
                            f'written to {target}; rename one of them')
        targets[path] = target
    return targets


def read_all(paths: list[Path],
             broken: list[str]) -> Iterator[tuple[Path, np.ndarray]]:
    """All images that can be read; what is wrong with the others is noted.

    Raises:
        UserError: If there is one image only, and it cannot be read.
    """
    for path in paths:
        try:
            yield path, read_image(path)
        except UserError as error:
            if len(paths) == 1:
                raise
            broken.append(str(error))


def run(detector: Detector, images: Iterable[tuple[object, np.ndarray]],
        args: argparse.Namespace) -> Iterator[tuple[object, np.ndarray, Prediction]]:
    """Each image with its detections."""
    waiting: list = []

    def arrays() -> Iterator[np.ndarray]:
        for name, image in images:
            waiting.append((name, image))
            yield image

    for found in detector.stream(arrays(), args.batch_size):
        yield (*waiting.pop(0), found.above(args.score_thr))


def detect_in_video(path: Path, name: str, target: Path, detector: Detector,
                    drawer: Drawer | None, results: CocoResults,
                    args: argparse.Namespace) -> None:
    """Detect in all frames; the pictures become a video again.

    Raises:
        UserError: If it cannot be read.
    """
    video = cv2.VideoCapture(str(path))
    if not video.isOpened():
        raise UserError(f'{path}: not a readable video')
    total = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    rate = video.get(cv2.CAP_PROP_FPS) or 25.0
    image_id = writer = None

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
        if image_id is None:
            image_id = results.add_image(name, frame)
        results.add(image_id, found, number)
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
