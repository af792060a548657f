"""Detecting in pictures and videos, while others are read and drawn."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.markup import escape
from rich.progress import Progress

from ..errors import UserError
from ..inference import Detector, Prediction
from ..inference.images import write_image
from ..io.beside import Clock, ahead
from ..io.large_image import LargeImage
from ..io.whole_files import FULL
from .lines import line_of, row_of
from .sources import Source

SHOWN = 20  # pictures that could not be written, by name
DRAWN = 8192  # pixels of the longer side of a picture of a large TIFF
AHEAD = 8  # images that are read before the network asks for them, and drawn after
Read = list[np.ndarray | LargeImage | UserError]


class Detection:
    """Makes the lines of batches, and their pictures.

    Args:
        detector: What detects.
        thresholds: The least score, or that of each class, (C,).
        batch_size: Images at once.
        draw: Makes a picture of an image, (H, W, 3), and what is found in it; None if
            none are wanted.
        out: Where pictures go, each with its name.
        bar: Shows the progress.
        root: The folder of the inputs if it is ``out`` or lies in it, so that no file
            in it is overwritten; else None.

    Attributes:
        clock (Clock): Where the time goes.
        number (int): Pictures and frames that were detected in.
        unwritten (int): Pictures that could not be written.
        reasons (list[str]): Why, of the first of them.
    """

    def __init__(self, detector: Detector, thresholds: float | np.ndarray,
                 batch_size: int, draw: Callable | None, out: Path,
                 bar: Progress, root: Path | None = None) -> None:
        self.detector, self.thresholds = detector, thresholds
        self.batch_size, self.draw, self.out, self.bar = batch_size, draw, out, bar
        self.root = root
        self.clock, self.number = Clock(), 0
        self.unwritten, self.reasons = 0, []

    def lines(self, batches: Iterable[list[Source]], pool: Executor
              ) -> Iterator[tuple[int, list[bytes]]]:
        """For each batch how many inputs are finished with it, and its lines."""
        number = max(1, AHEAD // self.batch_size)
        return ahead(pool, self.drawn, self.detected(
            ahead(pool, self.read, batches, number)), number)

    def read(self, batch: list[Source]) -> tuple[list[Source], Read]:
        """The images of a batch, or what is wrong with them; nothing of a video."""
        if batch[0].is_video:
            return batch, []
        images: Read = []
        for source in batch:
            try:
                with self.clock.measure('reading'):
                    images.append(self.detector.read(source.path))
            except UserError as error:
                images.append(error)
        return batch, images

    def detected(self, batches: Iterable[tuple[list[Source], Read]]) -> Iterator:
        """Each batch with what was found in it."""
        for batch, images in batches:
            if batch[0].is_video:
                yield from self.in_video(batch[0])
                continue
            yield len(batch), [(source, image, found, None) for source, image, found in
                               zip(batch, images, self.run(images), strict=True)]

    def run(self, images: Read) -> list[Prediction | UserError]:
        """What is found in images; what is wrong with them stays."""
        good = [image for image in images if not isinstance(image, UserError)]
        if not good:
            return images
        try:
            with self.clock.measure('network'):
                found = iter(self.detector.detect(good))
        except UserError as error:  # in the pixels of a picture that is read in parts
            return [error] if len(images) == 1 else [
                self.run([image])[0] for image in images]
        self.number += len(good)
        return [image if isinstance(image, UserError)
                else next(found).above(self.thresholds) for image in images]

    def in_video(self, source: Source) -> Iterator:
        """What is found in the frames of a video, which becomes a video again."""
        try:
            import cv2
        except ModuleNotFoundError:
            error = UserError('videos need OpenCV: pip install opencv-python-headless')
            yield 1, [(source, None, error, None)]
            return
        try:  # OpenCV crashes on other names
            os.fspath(self.out / source.path).encode()
        except UnicodeEncodeError:
            error = UserError('a video whose name is not UTF-8 cannot be opened')
            yield 1, [(source, None, error, None)]
            return
        # in full: FFmpeg takes what is before a colon for a protocol
        video = cv2.VideoCapture(os.path.abspath(source.path))
        writer, frame = None, 0
        rate = video.get(cv2.CAP_PROP_FPS)
        rate = rate if 0 < rate <= 1000 else 25.0
        total = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        task = self.bar.add_task(escape(source.name), total=max(total, 1))
        while True:
            images = []
            while len(images) < self.batch_size and (read := video.read())[0]:
                images.append(read[1])
            if not images:
                break
            found = self.run(images)
            if self.draw:
                for image, each in zip(images, found, strict=True):
                    picture = image if isinstance(each, UserError) else self.draw(
                        image, each)
                    if writer is None:
                        writer = self.writer(source, rate, picture.shape[1::-1])
                    writer.write(picture)
            yield 0, [(source, image, each, frame + place) for place, (image, each)
                      in enumerate(zip(images, found, strict=True))]
            frame += len(images)
            self.bar.advance(task, len(images))
        video.release()
        if writer is not None:
            writer.release()
        self.bar.remove_task(task)
        error = UserError(f'{source.path}: not a readable video')
        yield 1, [] if frame else [(source, None, error, None)]

    def writer(self, source: Source, rate: float, size: tuple[int, int]):
        """Writes a video of frames of a (width, height); drops them if it cannot."""
        import cv2
        writer = cv2.VideoWriter()
        try:
            target = self.target(source)
        except UserError as error:
            self.note(str(error))
            return writer
        target.parent.mkdir(parents=True, exist_ok=True)
        if not writer.open(os.path.abspath(target), cv2.VideoWriter_fourcc(*'mp4v'),
                           rate, size):
            self.note(f'{target}: no video can be written there')
        return writer

    def drawn(self, part: tuple[int, list]) -> tuple[int, list[bytes]]:
        """The lines of a part; its pictures are written."""
        number, found = part
        return number, [self.line(*each) for each in found]

    def line(self, source: Source, image: np.ndarray | LargeImage | None,
             found: Prediction | UserError, frame: int | None) -> bytes:
        """The line of an image; its picture is written."""
        if isinstance(found, UserError):
            reason = str(found).removeprefix(f'{source.path}: ')
            return line_of(row_of(source.name, frame=frame, error=reason))
        if self.draw and frame is None:
            target = self.target(source)
            try:
                with self.clock.measure('drawing'):
                    write_image(target, self.picture(image, found))
            except UserError as error:
                if getattr(error.__cause__, 'errno', None) in FULL:
                    raise
                self.note(str(error))  # what is found is listed all the same
        return line_of(row_of(source.name, image.shape[:2], found, frame))

    def picture(self, image: np.ndarray | LargeImage, found: Prediction) -> np.ndarray:
        """An image with what is found in it, made smaller if it is very large."""
        if isinstance(image, LargeImage):
            small = image.reduced(DRAWN)
            factor = small.shape[1] / image.shape[1]
            return self.draw(small, replace(found, boxes=found.boxes * factor))
        return self.draw(image, found)

    def note(self, reason: str) -> None:
        """Count a picture that could not be written."""
        self.unwritten += 1
        self.reasons += [reason] * (len(self.reasons) < SHOWN)

    def target(self, source: Source) -> Path:
        """Where its picture goes.

        Raises:
            UserError: If that is over a picture to detect in.
        """
        target = self.out / source.name
        if source.is_video and source.path.suffix != '.mp4':
            target = target.with_name(f'{target.name}.mp4')
        place = Path(os.path.realpath(target))
        if place == Path(os.path.realpath(source.path)) or (
                self.root and place.is_relative_to(self.root) and place.exists()):
            raise UserError(f'{source.path}: its picture would be written over '
                            f'{target}; choose another folder for the pictures')
        return target
