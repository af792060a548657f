"""What was found in a picture, as one line of JSON."""

import json
from collections.abc import Iterator
from pathlib import Path

from ..errors import CannotContinueError
from ..inference.prediction import Prediction
from .sources import Source


def row_of(name: str, size: tuple[int, int] | None = None,
           found: Prediction | None = None, frame: int | None = None,
           error: str | None = None) -> dict:
    """What is known of a picture.

    It has ``file_name``, in a video ``frame``, and either ``error`` or ``width``,
    ``height`` and ``detections``: of each ``category_id``, ``category``, ``bbox`` (x,
    y, width, height in pixels), ``score``, and ``probability`` if there is one.

    Args:
        name: Of the picture or the video.
        size: Height and width in pixels.
        found: The detections.
        frame: The number of the frame.
        error: Why nothing could be detected.
    """
    row: dict = dict(file_name=name)
    if frame is not None:
        row['frame'] = frame
    if error is not None:
        return dict(row, error=error)
    height, width = size
    return dict(row, width=width, height=height, detections=detections_of(found))


def line_of(row: dict) -> bytes:
    """A line, which begins with the name of the picture."""
    return json.dumps(row).encode() + b'\n'


def detections_of(found: Prediction) -> list[dict]:
    """Its detections, with the keys of COCO."""
    detections = []
    for number, (box, score, label) in enumerate(zip(
            found.boxes, found.scores, found.labels, strict=True)):
        x1, y1, x2, y2 = (round(float(value), 3) for value in box)
        detections.append(dict(
            category_id=int(label), category=found.classes[label],
            bbox=[x1, y1, round(x2 - x1, 3), round(y2 - y1, 3)],
            score=round(float(score), 5),
            **({} if found.probabilities is None else dict(
                probability=round(float(found.probabilities[number]), 5)))))
    return detections


def begin_of(source: Source) -> bytes:
    """What each line of a picture or a video begins with."""
    return json.dumps(dict(file_name=source.name)).encode()[:-1] + b','


class Lines:
    """The lines of a file, one after another; a torn one at the end does not count.

    Args:
        path: The file.
        finished: Whether it is known that nothing is missing at its end.

    Attributes:
        complete (bool): Whether the last batch that was asked for is there, as far as
            can be seen: of a video only if a line of another one follows.
        end (int): Where it ends in the file.
    """

    def __init__(self, path: Path, finished: bool = False) -> None:
        self.path, self.file, self.finished = path, path.open('rb'), finished
        self.number, self.end, self.complete = 0, 0, False
        self.line = self.file.readline()

    def __enter__(self) -> 'Lines':
        return self

    def __exit__(self, *error) -> None:
        self.file.close()

    def of_batch(self, batch: list[Source]) -> Iterator[bytes]:
        """Those of a batch that come next.

        Raises:
            CannotContinueError: If they are of another picture.
        """
        self.complete = False
        for source in batch:
            begin, found = begin_of(source), 0
            while self.line.endswith(b'}\n') and self.line.startswith(
                    begin + b' "frame": %d,' % found if source.is_video and found
                    else begin):
                yield self.line
                self.end, self.number = self.file.tell(), self.number + 1
                self.line, found = self.file.readline(), found + 1
                if not source.is_video:
                    break
            if not found:
                if self.line.endswith(b'}\n'):
                    raise CannotContinueError(
                        f'{self.path}:{self.number + 1} is not about {source.name}: '
                        'the input has changed')
                return
        self.complete = (self.finished or not batch[-1].is_video
                         or self.line.endswith(b'}\n'))


def printable(name: str) -> str:
    """A name with escapes for what is not UTF-8 in it."""
    return name.encode('utf-8', 'backslashreplace').decode()
