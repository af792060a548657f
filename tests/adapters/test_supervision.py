"""Detections for supervision, drawn by it."""

import numpy as np
import pytest

from frcnn_plugin.inference import Prediction

sv = pytest.importorskip('supervision')


def test_a_prediction_is_drawn():
    prediction = Prediction(
        np.float32([[10, 10, 40, 50], [60, 20, 90, 70]]), np.float32([0.9, 0.4]),
        np.int64([1, 0]), ('cat', 'dog'))
    found = prediction.to_supervision()
    np.testing.assert_array_equal(found.xyxy, prediction.boxes)
    np.testing.assert_array_equal(found.confidence, prediction.scores)
    assert found['class_name'].tolist() == ['dog', 'cat']
    sure = found[found.confidence > 0.5]
    assert sure.class_id.tolist() == [1]
    image = np.zeros((100, 120, 3), np.uint8)
    drawn = sv.LabelAnnotator().annotate(
        sv.BoxAnnotator().annotate(image.copy(), sure), sure)
    assert (drawn != image).any()


def test_nothing_found():
    found = Prediction(np.zeros((0, 4), np.float32), np.zeros(0, np.float32),
                       np.zeros(0, np.int64), ('cat',)).to_supervision()
    assert len(found) == 0
    assert len(sv.Detections.merge([found, found])) == 0
