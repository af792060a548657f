"""Data sets of other layouts become folders in VOC layout with the same boxes."""

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers import as_coco, as_yolo
from PIL import Image

from frcnn_plugin.commands.prepare_voc import prepare_voc
from frcnn_plugin.datasets import VOCFolder
from frcnn_plugin.errors import ImagesFolderError, OutputExistsError, UserError
from frcnn_plugin.prepare.shapes import CLASSES

BCCD = os.environ.get('BCCD_ROOT')


def read(root, split, classes):
    return VOCFolder(str(root), split=split, test_mode=True, metainfo=dict(
        classes=classes))


def assert_same_boxes(found, expected, pixels):
    assert len(found) == len(expected) > 0
    theirs = {Path(info['img_path']).stem: info for info in map(
        expected.get_data_info, range(len(expected)))}
    for info in map(found.get_data_info, range(len(found))):
        other = theirs[Path(info['img_path']).stem]
        assert (info['width'], info['height']) == (other['width'], other['height'])
        assert [item['bbox_label'] for item in info['instances']] == [
            item['bbox_label'] for item in other['instances']]
        boxes = [np.array([item['bbox'] for item in each['instances']])
                 for each in (info, other)]
        np.testing.assert_allclose(*boxes, atol=pixels)


@pytest.fixture(params=['shapes', 'bccd'])
def original(request, shapes_root):
    if request.param == 'shapes':
        return shapes_root, CLASSES
    if not BCCD:
        pytest.skip('BCCD_ROOT is not set')
    return Path(BCCD), ('RBC', 'WBC', 'Platelets')


def test_from_coco(original, tmp_path):
    root, classes = original
    for split in ('train', 'test'):
        file = tmp_path / f'{split}.json'
        file.write_text(json.dumps(as_coco(read(root, split, classes))))
        prepare_voc(['--from-coco', str(file), '--images', str(root / 'JPEGImages'),
                     '--name', split, '-o', str(tmp_path / 'voc')])
    for split in ('train', 'test'):
        assert_same_boxes(read(tmp_path / 'voc', split, classes),
                          read(root, split, classes), 1e-3)


@pytest.mark.parametrize('layout', ['images/{}', '{}/images', 'yaml'])
def test_from_yolo(original, tmp_path, layout):
    root, classes = original
    yolo = tmp_path / 'yolo'
    folders = 'images/my_{}' if layout == 'yaml' else layout
    for split in ('train', 'val'):
        as_yolo(read(root, split, classes), yolo, split, folders)
    if layout == 'yaml':
        names = '\n'.join(f'  {i}: {name}' for i, name in enumerate(classes))
        (yolo / 'data.yaml').write_text(
            f'path: ../somewhere/else\ntrain: images/my_train\nval: images/my_val\n'
            f'names:\n{names}\n')
    else:
        (yolo / 'classes.txt').write_text('\n'.join(classes))
    prepare_voc(['--from-yolo', str(yolo), '-o', str(tmp_path / 'voc'), '--copy'])
    assert_same_boxes(read(tmp_path / 'voc', 'val', classes),
                      read(root, 'val', classes), 0.01)
    # a test split is made out of train, and val stays as it is
    sizes = [len(names_of(tmp_path / 'voc', split)) for split in ('train', 'test')]
    assert sum(sizes) == len(read(root, 'train', classes)) and sizes[1] > 0


def test_lines_of_yolo_that_are_none(tmp_path, capsys):
    for part in ('images', 'labels'):
        (tmp_path / part).mkdir()
    Image.new('RGB', (100, 50)).save(tmp_path / 'images/a.png')
    (tmp_path / 'classes.txt').write_text('cat\ndog\n')
    (tmp_path / 'labels/a.txt').write_text(
        '0 0.5 0.5 0.2 0.2\n5 0.5 0.5 0.1 0.1\n0 x 0.5 0.1 0.1\n1 0.5 0.5 0 0.1\n'
        '1 0.5 0.5 0.1\n1 nan 0.5 0.1 0.1\n'
        '1 0.1 0.2 0.3 0.2 0.3 0.6\n')  # the last one is a polygon
    prepare_voc(['--from-yolo', str(tmp_path), '-o', str(tmp_path / 'voc'), '--split',
                 '1'])
    info = read(tmp_path / 'voc', 'train', ('cat', 'dog')).get_data_info(0)
    np.testing.assert_allclose([item['bbox'] for item in info['instances']],
                               [[40, 20, 59, 29], [10, 10, 29, 29]])
    said = capsys.readouterr().out
    for number, what in ((2, 'there is no class 5'), (3, "'0 x 0.5 0.1 0.1' is not"),
                         (4, '(dog): degenerate'), (5, "'1 0.5 0.5 0.1' is not"),
                         (6, "'1 nan 0.5 0.1 0.1' is not")):
        assert re.search(rf'a\.txt: line {number}:? {re.escape(what)}', said)


@pytest.fixture
def flat(shapes_root, tmp_path):
    """Images and XML files in one folder, without splits."""
    root = tmp_path / 'flat'
    root.mkdir()
    for part in ('JPEGImages', 'Annotations'):
        for path in (shapes_root / part).iterdir():
            shutil.copyfile(path, root / path.name)
    return root


def names_of(root, split):
    return (root / f'ImageSets/Main/{split}.txt').read_text().split()


def test_split_files_for_a_flat_folder(flat, tmp_path):
    Image.new('RGB', (10, 10)).save(flat / 'no_boxes.png')
    for out, seed in (('one', '0'), ('same', '0'), ('other', '1')):
        prepare_voc(['--from-folder', str(flat), '-o', str(tmp_path / out), '--split',
                     '0.8', '--seed', seed])
    parts = [names_of(tmp_path / 'one', split) for split in ('train', 'val', 'test')]
    assert [len(part) for part in parts] == [26, 4, 4]  # of 34
    assert len(set().union(*parts)) == 34
    assert names_of(tmp_path / 'same', 'val') == parts[1]
    assert names_of(tmp_path / 'other', 'val') != parts[1]
    assert len(read(tmp_path / 'one', 'train', CLASSES)) == 26


def test_a_folder_that_lacks_the_split_files_only(shapes_root, tmp_path):
    root = tmp_path / 'shapes'
    for part in ('JPEGImages', 'Annotations'):
        shutil.copytree(shapes_root / part, root / part)
    prepare_voc(['--from-folder', str(root), '--split', '0.5', '0.5'])
    assert [len(names_of(root, split)) for split in ('train', 'val')] == [17, 17]
    assert not (root / 'ImageSets/Main/test.txt').exists()
    with pytest.raises(UserError, match='has split files already'):
        prepare_voc(['--from-folder', str(root), '--split', '0.8'])


@pytest.mark.parametrize(('arguments', 'says'), [
    ([], 'name the folder with the pictures'),
    (['--from-folder', '{flat}', '-o', '{tmp}/a', '--split', '1.5'], 'at most 1'),
    (['--from-folder', '/nowhere', '-o', '{tmp}/a'], 'no such folder'),
    (['--from-folder', '{tmp}/empty', '-o', '{tmp}/a'], 'no picture in it'),
    (['--from-coco', '{tmp}/a.json', '-o', '{tmp}/a'], 'annotation file is missing'),
    (['{flat}', '-o', '{tmp}/a', '--as', 'yolo'], 'no annotation in a format'),
    (['{flat}', '-o', '{tmp}/full'], 'exists already and is not in VOC layout'),
    (['--voc', '2007', '-o', '{tmp}/a'], 'call it so'),
])
def test_mistakes_are_one_line(flat, tmp_path, arguments, says):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'full/of/something').mkdir(parents=True)
    with pytest.raises(UserError, match=says) as error:
        prepare_voc([part.format(flat=flat, tmp=tmp_path) for part in arguments])
    assert '\n' not in str(error.value)


def test_two_pictures_of_one_name(shapes_root, tmp_path):
    content = as_coco(read(shapes_root, 'val', CLASSES))
    (tmp_path / 'a.json').write_text(json.dumps(content))
    common = ['--from-coco', str(tmp_path / 'a.json'), '-o', str(tmp_path / 'voc')]
    common += ['--name', 'train']
    prepare_voc([*common, '--images', str(shapes_root / 'JPEGImages')])
    shutil.copytree(shapes_root / 'JPEGImages', tmp_path / 'others')
    prepare_voc([*common, '--images', str(tmp_path / 'others')])  # the same ones
    for name in names_of(tmp_path / 'voc', 'train')[1:2]:
        with Image.open(tmp_path / f'others/{name}.jpg') as picture:
            size = picture.size
        Image.new('RGB', size).save(tmp_path / f'others/{name}.jpg')
    before = sorted((tmp_path / 'voc').rglob('*'))
    with pytest.raises(OutputExistsError, match='exists already with other content'):
        prepare_voc([*common, '--images', str(tmp_path / 'others')])
    assert sorted((tmp_path / 'voc').rglob('*')) == before
    content['annotations'].pop()
    (tmp_path / 'a.json').write_text(json.dumps(content))
    with pytest.raises(OutputExistsError, match='exists already with other content'):
        prepare_voc([*common, '--images', str(shapes_root / 'JPEGImages')])
    (tmp_path / 'elsewhere').mkdir()
    Image.new('RGB', (9, 9)).save(tmp_path / 'elsewhere/b.jpg')
    with pytest.raises(ImagesFolderError, match=r'no picture \(0 pictures, \d+ boxes'):
        prepare_voc([*common[:2], '--images', str(tmp_path / 'elsewhere'), '-o',
                     str(tmp_path / 'b')])
    with pytest.raises(UserError, match='give one of the two'):
        prepare_voc([*common[:2], '--split', '0.8', '--name', 'train'])


@pytest.mark.parametrize('copy', [[], ['--copy']])
def test_the_originals_are_never_touched(flat, tmp_path, copy):
    """What labelImg leaves: XML files among the pictures, in the folder to be made."""
    root = tmp_path / 'mine'
    shutil.move(flat, root / 'JPEGImages')
    before = {path.name: path.read_bytes() for path in (root / 'JPEGImages').iterdir()}
    prepare_voc(['--from-folder', str(root / 'JPEGImages'), '-o', str(root), '--split',
                 '0.8', *copy])
    after = {path.name: path.read_bytes() for path in (root / 'JPEGImages').iterdir()}
    assert before == after
    assert len(read(root, 'train', CLASSES)) == 26


@pytest.mark.parametrize(('frame', 'box'), [
    (None, None), ('upright', [24, 40, 35, 59]), ('stored', [24, 40, 35, 59])])
def test_yolo_with_a_picture_that_is_stored_turned(tmp_path, frame, box):
    for part in ('images', 'labels'):
        (tmp_path / part).mkdir()
    exif = Image.Exif()
    exif[274] = 6
    Image.new('RGB', (100, 60)).save(tmp_path / 'images/a.jpg', exif=exif)
    (tmp_path / 'classes.txt').write_text('cat\n')
    (tmp_path / 'labels/a.txt').write_text('0 0.5 0.5 0.2 0.2\n')
    arguments = [str(tmp_path), '-o', str(tmp_path / 'voc'), '--split', '1']
    if frame is None:
        with pytest.raises(UserError, match='unknown orientation'):
            prepare_voc(arguments)
        return
    prepare_voc([*arguments, '--frame', frame])
    info = read(tmp_path / 'voc', 'train', ('cat',)).get_data_info(0)
    np.testing.assert_allclose(info['instances'][0]['bbox'], box)
    assert (info['width'], info['height']) == (60, 100)


def test_voc_itself_comes_from_torchvision(tmp_path, monkeypatch, capsys):
    """Which years and parts are asked for, and that what is there is left alone."""
    asked = []
    splits = {'VOCtrainval_06-Nov-2007.tar': 'VOC2007/ImageSets/Main/trainval.txt',
              'VOCtrainval_11-May-2012.tar': 'VOC2012/ImageSets/Main/trainval.txt'}

    def fetch(url, root, filename, md5):
        assert url.startswith('http') and len(md5) == 32
        asked.append(filename)
        path = Path(root) / 'VOCdevkit' / splits[filename]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('000001\n')

    monkeypatch.setattr('torchvision.datasets.voc.download_and_extract_archive', fetch)
    out = tmp_path / 'VOCdevkit'
    done = out / 'VOC2007/ImageSets/Main/test.txt'
    done.parent.mkdir(parents=True)
    done.write_text('000001\n')
    prepare_voc(['--voc', '2007', '2012', '-o', str(out)])
    assert asked == list(splits)
    assert 'VOC2007 test: exists already' in capsys.readouterr().out

    def fail(*_, **__):
        raise OSError('no network')

    monkeypatch.setattr('torchvision.datasets.voc.download_and_extract_archive', fail)
    with pytest.raises(UserError, match=r'cannot be downloaded \(no network\)'):
        prepare_voc(['--voc', '2007', '-o', str(tmp_path / 'b/VOCdevkit')])
