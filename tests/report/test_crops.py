"""A mistake is shown where it is in the picture."""

import base64

import cv2
import numpy as np

from frcnn_plugin.report.crops import crop


def test_a_crop_shows_its_box(tmp_path):
    image = np.zeros((300, 400, 3), np.uint8)
    image[100:140, 200:260] = 255
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    url = crop(str(tmp_path / 'a.png'), np.float32([200, 100, 260, 140]), [])
    data = base64.b64decode(url.partition(',')[2])
    part = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    rows, columns = np.nonzero(part.min(2) > 200)
    scale = 320 / 151  # of 75 pixels to each side of the middle
    np.testing.assert_allclose(
        [columns.min(), rows.min(), columns.max(), rows.max()],
        np.array([45, 55, 105, 95]) * scale, atol=5)
