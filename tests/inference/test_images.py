"""Pictures are read and resized as OpenCV does it, without OpenCV."""

import cv2
import mmcv
import numpy as np
import pytest
from PIL import Image

from frcnn_plugin.datasets.orientation import read_size
from frcnn_plugin.errors import CannotWriteError
from frcnn_plugin.inference import Prediction
from frcnn_plugin.inference.images import (
    read_image,
    resize_image,
    resized_shape,
    write_image,
)
from frcnn_plugin.visualization.boxes import BoxDrawer


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.bmp', '.webp', '.tif'])
@pytest.mark.parametrize('channels', [1, 3])
def test_the_pixels_are_those_of_opencv(tmp_path, suffix, channels):
    path = tmp_path / f'größe{suffix}'
    picture = cv2.resize(noise(5, 7, channels), (70, 50))
    path.write_bytes(cv2.imencode(suffix, picture)[1].tobytes())
    expected = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(read_image(path), expected)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_a_picture_that_is_stored_turned(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(cv2.resize(noise(5, 7, 3), (70, 50))).save(
        tmp_path / 'a.jpg', exif=exif)
    np.testing.assert_array_equal(
        read_image(tmp_path / 'a.jpg'), cv2.imread(str(tmp_path / 'a.jpg')))


def test_16_bits_of_grey(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), noise(9, 8).astype(np.uint16) * 257)
    np.testing.assert_array_equal(
        read_image(tmp_path / 'a.png'), cv2.imread(str(tmp_path / 'a.png')))


@pytest.mark.parametrize(('old', 'new'), [
    ((48, 64), (38, 51)), ((37, 50), (60, 80)), ((100, 70), (33, 23)),
    ((7, 9), (7, 9))])
def test_resizing(old, new):
    """To one grey value, and that in few places."""
    expected = cv2.resize(noise(*old, 3), new[::-1])
    difference = np.abs(resize_image(noise(*old, 3), *new).astype(int) - expected)
    assert difference.max() <= 1 and (difference > 0).mean() < 0.01


@pytest.mark.parametrize('settings', [
    dict(scale=(1333, 800), keep_ratio=True), dict(scale=(51, 38), keep_ratio=False),
    dict(scale=None, scale_factor=0.7, keep_ratio=True),
    dict(scale=None, scale_factor=(0.5, 2.0), keep_ratio=False)])
def test_the_size_is_that_of_mmdet(settings):
    from mmdet.datasets.transforms import Resize
    for height, width in ((480, 640), (333, 500), (1001, 17)):
        scale = dict(settings)
        if scale['scale'] is None:
            scale.pop('scale')
        image = Resize(**scale)(dict(img=noise(height, width, 3)))['img']
        assert resized_shape(height, width, settings) == image.shape[:2]
    assert resized_shape(4, 5, {}) == (4, 5)


@pytest.mark.parametrize('suffix', ['.tif', '.png', '.jpg'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_a_turned_picture_is_what_training_sees(tmp_path, suffix, orientation):
    path, exif = tmp_path / f'a{suffix}', Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(noise(40, 60, 3)).save(path, exif=exif)
    seen = mmcv.imread(path, backend='cv2')
    assert seen.shape == ((60, 40, 3) if orientation > 4 else (40, 60, 3))
    np.testing.assert_allclose(read_image(path).astype(int), seen, atol=3)
    assert read_size(path).upright == seen.shape[1::-1]


@pytest.mark.parametrize('suffix', ['.jpg', '.webp', '.png'])
def test_an_orientation_that_opencv_does_not_see(tmp_path, suffix):
    """In XMP only, where a tool has removed EXIF."""
    path, xmp = tmp_path / f'a{suffix}', (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description xmlns:tiff='
        b'"http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></x:xmpmeta>')
    options = {} if suffix == '.png' else dict(xmp=xmp)
    Image.fromarray(noise(40, 60, 3)).save(path, **options)
    assert read_image(path).shape == cv2.imread(str(path)).shape == (40, 60, 3)
    assert read_size(path) == (60, 40, 1)


def test_a_damaged_exif_says_nothing(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise(50, 70, 3)).save(tmp_path / 'a.jpg', exif=exif)
    data = (tmp_path / 'a.jpg').read_bytes()
    start = data.index(b'Exif')
    for place in range(start + 6, start + 30):
        for value in (0, 3, 255):
            (tmp_path / 'b.jpg').write_bytes(
                data[:place] + bytes([value]) + data[place + 1:])
            assert read_image(tmp_path / 'b.jpg').size == 50 * 70 * 3
            assert read_size(tmp_path / 'b.jpg')[:2] == (70, 50)


def test_a_strip_of_a_picture():
    assert resized_shape(1, 5000, dict(scale=(1333, 800), keep_ratio=True)) == (1, 1333)
    found = Prediction(np.float32([[2, 3, 90, 15]]), np.float32([0.9]), np.array([0]),
                       ('a\nb',))
    assert BoxDrawer(('a\nb',))(noise(20, 3400, 3), found).shape[1] == 4000


def test_a_box_is_drawn_where_it_was_found():
    drawer = BoxDrawer(('a',))
    found = Prediction(np.float32([[40, 60, 120, 160]]), np.float32([0.9]),
                       np.array([0]), ('a',))
    drawn = drawer(np.zeros((400, 500, 3), np.uint8), found)
    color = drawer.colors[0][::-1]
    assert tuple(drawn[160, 80]) == tuple(drawn[110, 120]) == tuple(color)
    assert not drawn[110, 80].any() and not drawn[200:].any()


def test_a_picture_that_cannot_be_written(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(CannotWriteError, match='cannot be written'):
        write_image(tmp_path / 'file/a.jpg', noise(5, 5, 3))
