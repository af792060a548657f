"""SAHI cuts a picture and our detector finds what is in the slices."""

import cv2
import numpy as np
import pytest

from frcnn_plugin.errors import UserError
from frcnn_plugin.inference import Detector

predict = pytest.importorskip('sahi.predict')


def test_a_picture_and_its_slices(checkpoint, shapes_root, tmp_path):
    from frcnn_plugin.adapters.sahi import FRCNNDetectionModel

    files = sorted((shapes_root / 'JPEGImages').iterdir())[:2]
    images = [cv2.imread(str(file)) for file in files]
    detector = Detector(checkpoint, device='cpu')
    expected = [detector(image).above(0.05) for image in images]
    model = FRCNNDetectionModel(model=detector, device='cpu', confidence_threshold=0.05)

    alone = predict.get_prediction(str(files[0]), model).object_prediction_list
    compare(alone, expected[0], 0)

    height, width = images[0].shape[:2]
    both = cv2.hconcat(images)
    cv2.imwrite(str(tmp_path / 'both.png'), both)
    sliced = predict.get_sliced_prediction(
        str(tmp_path / 'both.png'), model, slice_height=height, slice_width=width,
        overlap_height_ratio=0, overlap_width_ratio=0, perform_standard_pred=False,
        postprocess_match_threshold=1.1, verbose=0).object_prediction_list
    assert len(sliced) == sum(map(len, expected))
    right = [each for each in sliced if each.bbox.minx >= width]
    compare(right, expected[1], width)


def compare(found, expected, shift):
    assert len(expected)
    order = sorted(found, key=lambda each: -each.score.value)
    assert [each.category.name for each in order] == expected.names
    assert [each.score.value for each in order] == pytest.approx(
        expected.scores, abs=1e-3)
    boxes = np.array([each.bbox.to_xyxy() for each in order])
    np.testing.assert_allclose(boxes - [shift, 0, shift, 0], expected.boxes, atol=1)


def test_scores_that_validation_told(checkpoint, shapes_root):
    from frcnn_plugin.adapters.sahi import FRCNNDetectionModel

    file = min((shapes_root / 'JPEGImages').iterdir())
    model = FRCNNDetectionModel(str(checkpoint), device='cpu')
    model.model.thresholds = np.full(len(model.model.classes), 0.02, np.float32)
    found = predict.get_prediction(str(file), model).object_prediction_list
    assert len(found) == len(model.model(file).above(0.02)) > 0
    assert model.category_mapping['0'] == model.model.classes[0]
    strict = predict.get_prediction(str(file), model, confidence_threshold=0.99)
    assert len(strict.object_prediction_list) < len(found)
    with pytest.raises(UserError, match="category_mapping has the keys \\['1'\\]"):
        FRCNNDetectionModel(str(checkpoint), device='cpu',
                            category_mapping={'1': 'circle'})
