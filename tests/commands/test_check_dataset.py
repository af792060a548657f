"""Everything that can be wrong with a data set is named, and mended in a copy."""

import json

import cv2
import numpy as np
import pytest
from helpers import damaged_data_set, write_xml
from PIL import Image

from frcnn_plugin.commands.check_dataset import check_dataset
from frcnn_plugin.commands.frcnn import main
from frcnn_plugin.datasets import VOCFolder
from frcnn_plugin.datasets.voc_annotation import read_voc_annotation
from frcnn_plugin.errors import UserError

CLASSES = ('dog', 'cat')


@pytest.fixture
def root(tmp_path):
    return damaged_data_set(tmp_path / 'data')


def check(root, *options, tmp_path=None):
    """Exit status, and (file, kind, costs_data) of everything that was found."""
    file = root.parent / 'found.json'
    status = check_dataset([str(root), '--json', str(file), *map(str, options)])
    found = json.loads(file.read_text())
    return status, {(row['file'].rpartition('/')[2], row['kind'], row['costs_data'])
                    for row in found['problems']}


def test_every_problem_is_named_by_file(root, capsys, monkeypatch):
    monkeypatch.setenv('COLUMNS', '400')
    status, found = check(root, '--classes', *CLASSES)
    assert status == 1
    assert found == {
        ('no_image.jpg', 'missing image', True),
        ('no_xml.xml', 'missing annotation', True),
        ('broken_xml.xml', 'bad annotation', True),
        ('no_picture.jpg', 'unreadable image', True),
        ('truncated.jpg', 'truncated image', True),
        ('size.xml', 'size mismatch', False),
        ('boxes.xml', 'bad box', True), ('boxes.xml', 'degenerate box', True),
        ('boxes.xml', 'box outside', True), ('boxes.xml', 'no class name', True),
        ('boxes.xml', 'over the border', False),
        ('boxes.xml', 'duplicate box', False), ('boxes.xml', 'huge box', False),
        ('boxes.xml', 'unknown class', True),
        ('empty.xml', 'no boxes', False), ('grey.jpg', 'grey', False),
        ('alpha.png', 'alpha', False), ('bits.png', '16-bit', False),
        ('cmyk.jpg', 'CMYK', False), ('turned.jpg', 'EXIF rotation', False),
        ('turned.xml', 'turned boxes', False),  # its size is that of the stored picture
        ('train.txt', 'listed twice', False),
        ('test.txt', 'tested and trained', False)}
    shown = capsys.readouterr().out
    assert "'dgo' is not one of the classes, did you mean dog?" in shown
    assert '; 10 of them cost training data: 5 images and 8 boxes' in shown


def test_a_good_data_set(shapes_root, capsys):
    assert check_dataset([str(shapes_root), '--jobs', '2']) == 0
    assert '34 images' in capsys.readouterr().out


def test_the_cleaned_copy_trains_whole(root, tmp_path):
    before = {path: path.read_bytes() for path in root.rglob('*') if path.is_file()}
    clean = tmp_path / 'clean'
    check(root, '--classes', *CLASSES, '--fix', clean)
    assert {path: path.read_bytes() for path in root.rglob('*')
            if path.is_file()} == before
    status, found = check(clean, '--classes', *CLASSES)
    assert status == 0
    assert {kind for _, kind, _ in found} <= {
        'no boxes', 'grey', 'alpha', '16-bit', 'CMYK', 'EXIF rotation', 'huge box',
        'tested and trained', 'not annotated', 'size mismatch'}
    assert ('size.xml', 'size mismatch', False) in found  # not mended, so not hidden
    data = VOCFolder(str(clean), split='train', metainfo=dict(classes=CLASSES))
    boxes = {info['img_id']: [item['bbox'] for item in info['instances']]
             for info in data.load_data_list()}
    assert boxes['boxes'] == [[0, 0, 9, 9], [89, 69, 100, 80], [0, 0, 100, 80]]
    assert not {'truncated', 'no_image', 'broken_xml'} & set(boxes)


def test_it_writes_into_no_folder_that_is_there(root, tmp_path):
    with pytest.raises(UserError, match='exists already'):
        check_dataset([str(root), '--fix', str(tmp_path)])
    with pytest.raises(UserError, match='is inside the data set'):
        check_dataset([str(root), '--fix', str(root / 'Annotations/clean')])


def test_a_cleaned_copy_moves_no_box(tmp_path):
    root = damaged_data_set(tmp_path / 'data')
    Image.new('RGB', (3000, 2500)).save(root / 'JPEGImages/size.jpg')
    box = 1234.5678, 1, 2999.8765, 2048.125
    write_xml(root, 'size', [('dog', *box)], size=(3000, 2500))
    check(root, '--fix', tmp_path / 'clean', '--split', 'test')
    path = tmp_path / 'clean/Annotations/size.xml'
    assert read_voc_annotation(path).objects[0].bbox == pytest.approx(
        [value - 1 for value in box], abs=1e-9)


def test_the_command(root, capsys):
    with pytest.raises(SystemExit) as end:
        main(['check-dataset', str(root)])
    assert end.value.code == 1 and 'Traceback' not in capsys.readouterr().err


def test_the_picture_that_is_truncated_is_read_by_opencv(root):
    """Which is why it has to be looked for: training would see half a picture."""
    found = cv2.imread(str(root / 'JPEGImages/truncated.jpg'))
    whole = np.array(Image.open(root / 'JPEGImages/size.jpg'))
    assert found is not None and found.shape == whole.shape


@pytest.mark.parametrize('kind', [np.float32, np.int32])
def test_channels_of_32_bits(root, tmp_path, kind):
    """OpenCV, which training reads with, gives nothing for them."""
    Image.fromarray(np.ones((48, 64), kind)).save(root / 'JPEGImages/deep.tif')
    write_xml(root, 'deep', [('dog', 1, 2, 30, 40)], (64, 48))
    with (root / 'ImageSets/Main/train.txt').open('a') as file:
        file.write('\ndeep\n')
    _, found = check(root, '--classes', *CLASSES)
    assert ('deep.tif', 'unreadable image', True) in found
