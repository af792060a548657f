"""What was found in an image."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import supervision


@dataclass(frozen=True)
class Prediction:
    """What was found in one image, the best first.

    Attributes:
        boxes: (n, 4) float32, x1, y1, x2, y2 in pixels of the image.
        scores: (n,) float32.
        labels: (n,) int64, class indices.
        classes: The names of all classes.
        probabilities: (n,) float32, how likely each is right (that its IoU with an
            object of its class is at least 0.5); None if the detector has no operating
            points. Within a class they have the same order as the scores.
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
        """Detections with at least this score, or with that of their class, (C,)."""
        kept = self.scores >= np.broadcast_to(
            score_thr, len(self.classes))[self.labels]
        return Prediction(
            self.boxes[kept], self.scores[kept], self.labels[kept], self.classes,
            None if self.probabilities is None else self.probabilities[kept])

    def to_supervision(self) -> 'supervision.Detections':
        """As supervision has them, for its annotators, trackers and zones.

        Returns:
            Detections: ``xyxy`` (n, 4) in pixels of the image, ``confidence``,
            ``class_id`` and ``class_name`` (n,).

        Raises:
            ModuleNotFoundError: If supervision is not installed.
        """
        from supervision import Detections

        return Detections(self.boxes, confidence=self.scores,
                          class_id=self.labels.astype(int),
                          data=dict(class_name=np.array(self.names, dtype=str)))
