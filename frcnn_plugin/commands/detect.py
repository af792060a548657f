"""``frcnn detect``: detect in images and videos; draw and list what is found."""

import argparse
import glob
import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import UserError
from ..inference import Detector, Prediction
from ..inference.images import read_image, write_image
from ..inference.prediction import CocoResults
from ..io.beside import Clock, ahead
from ..io.progress import progress
from ..io.whole_files import write_whole
from ..visualization.boxes import BoxDrawer
from .parser import parse

IMAGES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
VIDEOS = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v')
MOST_PIXELS = 2**30  # of a picture, as OpenCV has it
DEFAULT = 0.3  # the least score, if validation images tell none
NAMED = 6  # classes whose scores fit into one line
THREADS = min(4, os.cpu_count() or 1)  # that read and draw beside the network


def detect(argv: list[str] | None = None) -> int:
    """Run ``frcnn detect``; 1 if an image was not read, or not written, else 0."""
    args = parse('detect', argv)
    if args.batch_size < 1:
        raise UserError(f'--batch-size is {args.batch_size}; it must be at least 1')
    names = find_inputs(args.input)
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    targets = find_targets(names, args)
    detector = Detector(args.checkpoint, args.config, args.device, args.classes,
                        amp=args.amp)
    drawer = None if args.no_pictures else BoxDrawer(detector.classes)
    args.score_thr, said = scores_to_cut_at(detector, args.score_thr)
    print(said)
    results, broken, unwritten = CocoResults(detector.classes), [], []
    videos = [path for path in names if path.suffix.lower() in VIDEOS]
    if videos and find_spec('cv2') is None:
        raise UserError(f'{videos[0]}: videos need OpenCV: '
                        'pip install opencv-python-headless')
    pictures = [path for path in names if path not in videos]
    clock = Clock()

    def found_in_pictures() -> Iterator[tuple[Path, np.ndarray, Prediction]]:
        images = read_all(pictures, broken, pool, clock)
        for path, image, found in progress(run(detector, images, args, clock),
                                           args.input, len(pictures)):
            results.add(results.add_image(names[path], image), found)
            yield path, image, found

    def draw(job: tuple[Path, np.ndarray, Prediction]) -> None:
        path, image, found = job
        if drawer:
            try:
                with clock.measure('drawing'):
                    write_image(targets[path], drawer(image, found))
            except UserError as error:  # what is found is listed all the same
                unwritten.append(str(error))

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in ahead(pool, draw, found_in_pictures()):
            pass
    number = len(pictures) - len(broken)
    took = speed(number, clock) if number else ''
    for path in videos:
        detect_in_video(path, names[path], targets[path], detector, drawer, results,
                        args, clock)
    write_whole(args.out / 'detections.json', json.dumps(dict(
        images=results.images, annotations=results.annotations,
        categories=[dict(id=i, name=name) for i, name in enumerate(detector.classes)],
    ), indent=1).encode())
    for message in broken:
        print(f'warning: {message}; skipped')
    for message in unwritten:
        print(f'warning: {message}')
    print(f'{args.out}: {len(results.annotations)} detections in {number} '
          f'image{"s" * (number != 1)}'
          + (f' and {len(videos)} video{"s" * (len(videos) != 1)}' if videos else ''))
    if took:
        print(took)
    return int(bool(broken or unwritten))


def scores_to_cut_at(detector: Detector, asked: float | None
                     ) -> tuple[float | np.ndarray, str]:
    """The least score, or that of each class, (C,), and a line that says which."""
    if asked is not None or detector.thresholds is None:
        score = DEFAULT if asked is None else asked
        return score, f'detections with a score of at least {score:g}'
    scores = [f'{score:.2f} {name}' for name, score in zip(
        detector.classes, detector.thresholds, strict=True)]
    if len(scores) > NAMED:
        low, high = detector.thresholds.min(), detector.thresholds.max()
        scores = [f'{low:.2f} to {high:.2f}, by class']
    points = detector.operating_points
    return detector.thresholds, (
        f'detections with a score of at least {", ".join(scores)} ({points["rule"]} in '
        f'{points["images"]} validation images)')


def speed(number: int, clock: Clock) -> str:
    """A line that says how many images a second, and where the time went."""
    beside = ', '.join(f'{part} {clock.parts[part]:.1f} s'
                       for part in ('reading', 'drawing') if clock.parts[part])
    return (f'{number / clock.whole:.1f} images a second: {clock.whole:.1f} s, '
            f'{clock.parts["network"]:.1f} s of it the network; beside it {beside}')


def find_inputs(text: str) -> dict[Path, str]:
    """The images and videos that a path or a pattern stands for.

    Each has its name relative to the folder that was given; for a pattern or one file
    the folder that all of them are in counts as given. No two have the same name.
    """
    root = Path(text).expanduser()
    if root.is_dir():
        found = [file for file in sorted(root.rglob('*')) if file.is_file()]
    else:
        found = [root] if root.is_file() else [
            Path(file) for file in sorted(glob.glob(str(root), recursive=True))]
    kept = [file for file in found if file.suffix.lower() in IMAGES + VIDEOS]
    if not kept:
        raise UserError(f'{text}: no such image, folder or video' if not found else
                        f'{text}: no image or video in it; supported extensions: '
                        f'{", ".join(IMAGES + VIDEOS)}')
    if not root.is_dir():
        root = Path(os.path.commonpath([path.parent.absolute() for path in kept]))
    return {path: path.absolute().relative_to(root.absolute()).as_posix()
            for path in kept}


def find_targets(names: dict[Path, str], args: argparse.Namespace) -> dict[Path, Path]:
    """Where the picture of each image goes: to no other's place, over no input."""
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


def read_all(paths: list[Path], broken: list[str], pool: Executor,
             clock: Clock) -> Iterator[tuple[Path, np.ndarray]]:
    """All images that can be read; what is wrong with one of several is noted."""

    def read(path: Path) -> np.ndarray | UserError:
        try:
            with clock.measure('reading'):
                return read_image(path)
        except UserError as error:
            return error

    for path, image in zip(paths, ahead(pool, read, paths), strict=True):
        if not isinstance(image, UserError):
            yield path, image
        elif len(paths) == 1:
            raise image
        else:
            broken.append(str(image))


def run(detector: Detector, images: Iterable[tuple[object, np.ndarray]],
        args: argparse.Namespace, clock: Clock
        ) -> Iterator[tuple[object, np.ndarray, Prediction]]:
    """Each image with its detections."""
    images = iter(images)
    while batch := list(islice(images, args.batch_size)):
        with clock.measure('network'):
            found = detector.detect([image for _, image in batch])
        for (name, image), each in zip(batch, found, strict=True):
            yield name, image, each.above(args.score_thr)


def detect_in_video(path: Path, name: str, target: Path, detector: Detector,
                    drawer: BoxDrawer | None, results: CocoResults,
                    args: argparse.Namespace, clock: Clock) -> None:
    """Detect in all frames; the pictures become a video again."""
    import cv2

    video = cv2.VideoCapture(str(path))
    if not video.isOpened():
        raise UserError(f'{path}: not a readable video')
    total = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    rate = video.get(cv2.CAP_PROP_FPS) or 25.0
    image_id = writer = None

    def frames() -> Iterator[np.ndarray]:
        while (read := video.read())[0]:
            yield read[1]

    for number, frame, found in progress(
            run(detector, enumerate(frames()), args, clock), path, max(total, 1)):
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
