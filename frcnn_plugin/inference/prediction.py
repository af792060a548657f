"""What was found: in one image, and in many as COCO lists it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """What was found in one image, the best first.

    Attributes:
        boxes: (n, 4) float32, x1, y1, x2, y2 in pixels of the image.
        scores: (n,) float32.
        labels: (n,) int64, class indices.
        classes: The names of all classes.
        probabilities: (n,) float32, how likely each is right (that its IoU with an
            object of its class is at least 0.5), if validation images told the
            detector; else None. Scores are in the same order, class by class.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    probabilities: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def names(self) -> list[str]:
        """The class of each box."""
        return [self.classes[label] for label in self.labels]

    def above(self, score_thr: float | np.ndarray) -> 'Prediction':
        """Those with at least this score, or that of their class if there are (C,)."""
        kept = self.scores >= np.broadcast_to(
            score_thr, len(self.classes))[self.labels]
        return Prediction(
            self.boxes[kept], self.scores[kept], self.labels[kept], self.classes,
            None if self.probabilities is None else self.probabilities[kept])


class CocoResults:
    """Images and detections as COCO lists them, with names beside the numbers.

    Attributes:
        images (list): Of each image or video ``id``, ``file_name`` relative to the
            input, ``width`` and ``height``.
        annotations (list): Of each detection ``id``, ``image_id``, ``file_name``,
            ``category_id``, ``category``, ``bbox`` (x, y, width, height in pixels),
            ``score``, ``probability`` if there is one, and in a video ``frame``.
    """

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.images: list[dict] = []
        self.annotations: list[dict] = []

    def add_image(self, name: str, picture: np.ndarray) -> int:
        """Add an image or a video, given by a frame (H, W, 3); returns its id."""
        height, width = picture.shape[:2]
        self.images.append(dict(id=len(self.images), file_name=name, width=width,
                                height=height))
        return self.images[-1]['id']

    def add(self, image_id: int, found: Prediction, frame: int | None = None) -> None:
        """Add the detections in an image or a frame."""
        for number, (box, score, label) in enumerate(zip(
                found.boxes, found.scores, found.labels, strict=True)):
            x1, y1, x2, y2 = (round(float(value), 3) for value in box)
            self.annotations.append(dict(
                id=len(self.annotations), image_id=image_id,
                file_name=self.images[image_id]['file_name'],
                category_id=int(label), category=self.classes[label],
                bbox=[x1, y1, round(x2 - x1, 3), round(y2 - y1, 3)],
                score=round(float(score), 5),
                **({} if found.probabilities is None else dict(
                    probability=round(float(found.probabilities[number]), 5))),
                **({} if frame is None else dict(frame=frame))))
