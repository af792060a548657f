"""A detector as SAHI takes one, for its sliced prediction.

    from sahi.predict import get_sliced_prediction
    from frcnn_plugin.adapters.sahi import FRCNNDetectionModel

    model = FRCNNDetectionModel('detector.pth')
    found = get_sliced_prediction('large.jpg', model, slice_height=640, slice_width=640)

``TiledDetector`` does the same without SAHI, and puts together what a border cuts.
"""

from typing import Any

import numpy as np
from sahi.models.base import DetectionModel
from sahi.prediction import ObjectPrediction
from sahi.utils.compatibility import fix_full_shape_list, fix_shift_amount_list

from ..errors import UserError
from ..inference import Detector, Prediction
from ..inference.detector import is_runtime_file

DEFAULT = 0.3  # the least score where nothing tells a better one


class FRCNNDetectionModel(DetectionModel):
    """SAHI's model class for a checkpoint or a file of ``frcnn export``.

    Args:
        model_path: The file; ``model`` takes a :class:`Detector` in its place.
        config_path: Of a checkpoint that does not carry its config.
        confidence_threshold: The least score. Default: the detector's own threshold of
            each class, or 0.3 if it has none.
        **kwargs: The rest of SAHI's own arguments.
    """

    def __init__(self, model_path: str | None = None, *,
                 confidence_threshold: float | None = None, **kwargs: Any) -> None:
        self.told = confidence_threshold is None  # by the detector, where it can
        least = DEFAULT if confidence_threshold is None else confidence_threshold
        super().__init__(model_path, confidence_threshold=least, **kwargs)

    def set_device(self, device: str | None = None) -> None:
        """Devices are torch's, but for an exported file, which has OpenVINO's."""
        if is_runtime_file(self.model_path):
            self.device = device or 'cpu'
        else:
            super().set_device(device)

    def load_model(self) -> None:
        """Read the file.

        Raises:
            UserError: If it cannot be read or used.
        """
        self.set_model(Detector(self.model_path, self.config_path,
                                device=str(self.device)))

    def set_model(self, model: Detector, **kwargs: Any) -> None:
        """Take a detector.

        Raises:
            UserError: If ``category_mapping`` is of other classes.
        """
        self.model = model
        own = {str(label): name for label, name in enumerate(model.classes)}
        self.names: dict[str, str] = self.category_mapping or own
        if set(self.names) != set(own):
            raise UserError(f'category_mapping has the keys {sorted(self.names)}, '
                            f'but this detector {sorted(own)}')
        self.category_mapping = self.names

    def perform_inference(self, image: np.ndarray) -> None:
        """Detect in one (H, W, 3) uint8 picture, RGB."""
        self.perform_batch_inference([image])

    def perform_batch_inference(self, images: list[np.ndarray]) -> None:
        """Detect in several at once."""
        found = self.model.detect([
            np.ascontiguousarray(image[..., ::-1]) for image in images])
        least = self.confidence_threshold  # which SAHI changes for a call
        if self.told and least == DEFAULT and self.model.thresholds is not None:
            least = self.model.thresholds
        self._original_predictions = [each.above(least) for each in found]

    def _create_object_prediction_list_from_original_predictions(
            self, shift_amount_list: list | None = None,
            full_shape_list: list | None = None) -> None:
        shifts = fix_shift_amount_list(shift_amount_list or [[0, 0]])
        shapes = fix_full_shape_list(full_shape_list)
        self._object_prediction_list_per_image = [
            self.objects(found, shifts[place], shapes[place] if shapes else None)
            for place, found in enumerate(self._original_predictions)]

    def objects(self, found: Prediction, shift: list,
                shape: list | None) -> list[ObjectPrediction]:
        """SAHI's objects of one slice.

        Args:
            found: What is in it.
            shift: x and y of its corner in the picture, in pixels.
            shape: Height and width of the picture; None: it is the slice.
        """
        return [ObjectPrediction(
            bbox=box.tolist(), score=float(score), category_id=int(label),
            category_name=self.names[str(label)], shift_amount=shift,
            full_shape=shape)
            for box, score, label in zip(found.boxes, found.scores, found.labels,
                                         strict=True)
            if (box[2:] > box[:2]).all()]
