"""Predictions of many images and videos in the format of COCO's results."""

import numpy as np

from .detector import Prediction


class CocoResults:
    """Images and detections as COCO lists them, with names beside the numbers.

    Args:
        classes: The names of all classes.

    Attributes:
        images (list): Of each image or video ``id``, ``file_name`` relative to the
            input, ``width`` and ``height``.
        annotations (list): Of each detection ``id``, ``image_id``, ``file_name``,
            ``category_id``, ``category``, ``bbox`` (x, y, width, height in pixels),
            ``score``, and in a video ``frame``.
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
        for box, score, label in zip(found.boxes, found.scores, found.labels,
                                     strict=True):
            x1, y1, x2, y2 = (round(float(value), 3) for value in box)
            self.annotations.append(dict(
                id=len(self.annotations), image_id=image_id,
                file_name=self.images[image_id]['file_name'],
                category_id=int(label), category=self.classes[label],
                bbox=[x1, y1, round(x2 - x1, 3), round(y2 - y1, 3)],
                score=round(float(score), 5),
                **({} if frame is None else dict(frame=frame))))
