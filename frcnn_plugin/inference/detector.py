"""A trained detector in two lines.

    from frcnn_plugin import Detector
    prediction = Detector('work_dirs/demo/iter_500.pth')('picture.jpg')
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, overload

import numpy as np

from ..errors import NoRuntimeError, NoTrainingPackagesError, UserError
from ..evaluation.operating_points import OperatingPoints
from .images import Picture, read_image
from .prediction import Prediction

RUNTIME_FILES = ('.xml', '.onnx')


class Detector:
    """A detector with its weights, ready for images.

    Like ``pathlib.Path``, it creates the subclass that fits: for a checkpoint a
    :class:`~frcnn_plugin.inference.torch_detector.TorchDetector`, for a file that
    ``frcnn export`` wrote a
    :class:`~frcnn_plugin.inference.file_detector.FileDetector`, which needs no torch.
    These list their further arguments.

    It returns all detections that its config lets through. Those worth looking at are
    ``prediction.above(detector.thresholds)``.

    Args:
        checkpoint: A checkpoint, or an exported ``.xml`` or ``.onnx``. They contain
            their classes and settings, which are read as data.

    Attributes:
        classes (tuple[str, ...]): The names of the classes.
        operating_points (dict | None): The scores to cut at and their calibration, from
            the validation images of its training, see
            ``evaluation/operating_points.py``; None if there were none.
        thresholds (np.ndarray | None): (C,) float32, the score of each class to cut at,
            from the operating points.
        tiles (int | None): The side in pixels of the squares that it was trained on;
            :class:`~frcnn_plugin.inference.tiled_detector.TiledDetector` looks at a
            picture in such. None: it was trained on pictures as they are.

    Raises:
        UserError: If the file cannot be read or used.
    """

    classes: tuple[str, ...] = ()
    operating_points: dict | None = None
    thresholds: np.ndarray | None = None
    tiles: int | None = None

    def __new__(cls, checkpoint: str | Path | None = None, *args: Any,
                **kwargs: Any) -> 'Detector':
        """A detector of the kind that the file is for."""
        try:
            if cls is Detector and is_runtime_file(checkpoint):
                from .file_detector import FileDetector as cls
            elif cls is Detector:
                from .torch_detector import TorchDetector as cls
        except ModuleNotFoundError as error:
            kind = (NoRuntimeError if error.name == 'openvino'
                    else NoTrainingPackagesError)
            raise kind(f'{checkpoint}: {error.name} is not installed') from error
        return super().__new__(cls)

    @overload
    def __call__(self, images: Picture, batch_size: int = 8) -> Prediction: ...

    @overload
    def __call__(self, images: list[Any] | tuple[Picture, ...],
                 batch_size: int = 8) -> list[Prediction]: ...

    def __call__(self, images: Picture | list[Any] | tuple[Picture, ...],
                 batch_size: int = 8) -> Prediction | list[Prediction]:
        """Detect in an image, or in a list of them, ``batch_size`` at once.

        Args:
            images: A path, the bytes of a file, a PIL image or an (H, W, 3) uint8 array
                in BGR, as OpenCV reads it; or a list of them.

        Returns:
            Prediction: Of the image, or a list of them.

        Raises:
            UserError: If an image cannot be read.
        """
        if isinstance(images, list | tuple):
            return list(self.stream(images, batch_size))
        return next(self.stream([images]))

    def stream(self, images: Iterable[Picture],
               batch_size: int = 8) -> Iterator[Prediction]:
        """Detect in images that come one after another, such as those of a video."""
        images = iter(images)
        while batch := list(islice(images, batch_size)):
            yield from self.detect([self.read(image) for image in batch])

    def read(self, image: Picture) -> np.ndarray:
        """An image as :meth:`detect` takes it, see :func:`~.images.read_image`."""
        return read_image(image)

    def take_operating_points(self, points: dict | None, source: str | Path) -> None:
        """Use what ``source`` holds; raises :class:`UserError` if it does not fit."""
        if points is None:
            return
        try:
            self._points = OperatingPoints.read(points, len(self.classes))
        except UserError as error:
            raise UserError(f'{source}: {error}') from error
        self.operating_points, self.thresholds = points, self._points.thresholds

    def prediction(self, boxes: np.ndarray, scores: np.ndarray,
                   labels: np.ndarray) -> Prediction:
        """With probabilities, if there are operating points."""
        return Prediction(boxes, scores, labels, self.classes, None if (
            self.operating_points is None) else self._points.probabilities(
                scores, labels))

    def detect(self, images: Sequence[np.ndarray]) -> list[Prediction]:
        """What is in a batch of (H, W, 3) uint8 images, BGR."""
        raise NotImplementedError


def notes_of(file: str | Path) -> dict:
    """What ``frcnn export`` wrote into a file, such as its ``classes``.

    Raises:
        UserError: If it cannot be read, or OpenVINO is not installed.
    """
    try:
        from .file_detector import read_model, read_notes
    except ModuleNotFoundError as error:
        raise NoRuntimeError(f'{file}: {error.name} is not installed') from error
    return read_notes(read_model(Path(file)), file)


def is_runtime_file(path: str | Path | None) -> bool:
    """Whether a path names a file of ``frcnn export``, and not a checkpoint."""
    return path is not None and Path(path).suffix.lower() in RUNTIME_FILES
