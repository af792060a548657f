import shutil

import pytest
from helpers import write_xml

from frcnn_plugin.datasets import VOCFolder
from frcnn_plugin.datasets.voc_layout import read_split
from frcnn_plugin.errors import (
    ClassesError,
    DataRootError,
    FoldersError,
    OtherSplitError,
    SplitError,
    UserError,
)
from frcnn_plugin.prepare.shapes import CLASSES


@pytest.fixture
def root(shapes_root, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(shapes_root, tmp_path / 'shapes')


def load(root, split='train', classes=CLASSES, **kwargs):
    return VOCFolder(str(root), split=split, metainfo=dict(classes=classes), **kwargs)


def test_reads_all_boxes_of_a_folder(shapes_root):
    data = load(shapes_root)
    assert len(data) == 24
    info = data.get_data_info(0)
    assert {'img_path', 'height', 'width', 'instances'} <= set(info)
    assert len(data.metainfo['palette']) == len(CLASSES)
    boxes = [item['bbox'] for i in range(24)
             for item in data.get_data_info(i)['instances']]
    assert all(x1 < x2 and y1 < y2 for x1, y1, x2, y2 in boxes)
    files = (shapes_root / 'Annotations').glob('train_*.xml')
    assert len(boxes) == sum(file.read_text().count('<object>') for file in files) > 24


def test_reads_a_voc_devkit(shapes_root, tmp_path):
    for year in ('VOC2007', 'VOC2012'):
        (tmp_path / year).symlink_to(shapes_root)
    assert len(load(tmp_path)) == 48
    assert len(load(tmp_path, folders=['VOC2007'])) == 24
    with pytest.raises(FoldersError, match='VOC2008 is not there, only VOC2007, VOC20'):
        load(tmp_path, folders=['VOC2008'])


def test_missing_folder_split_annotation_and_image(root):
    with pytest.raises(DataRootError, match=r'nowhere: no such folder; a data root is'):
        load('nowhere')
    with pytest.raises(DataRootError, match=r'no Annotations/ in it'):
        load(root / 'JPEGImages')
    with pytest.raises(OtherSplitError, match=r'trial\.txt.*are test, train, val'):
        load(root, 'trial')
    (root / 'JPEGImages/val_00000.jpg').unlink()
    with pytest.raises(UserError, match=r'val_00000.jpg: the image is missing'):
        load(root, 'val')
    (root / 'Annotations/test_00000.xml').unlink()
    with pytest.raises(UserError, match=r'test_00000.xml.*missing'):
        load(root, 'test')


def test_an_image_that_cannot_be_opened(root):
    (root / 'JPEGImages/val_00001.jpg').write_bytes(b'')
    with pytest.raises(UserError, match=r'val_00001.jpg: not a readable image'):
        load(root, 'val')


def test_lines_of_a_split_file(root):
    path = root / 'ImageSets/Main/odd.txt'
    path.write_text('\ufefftrain_00001  1\n\ntrain_00002 -1\ntrain_00003.jpg 0\n')
    assert len(load(root, 'odd', test_mode=True)) == 3
    path.write_text('train_00001\ntrain_00003.jpg\n')
    assert len(load(root, 'odd', test_mode=True)) == 2
    path.write_text('photo 1\ntrain_00001\n')  # a number that belongs to the name
    assert read_split(root, 'odd') == ['photo 1', 'train_00001']
    path.write_bytes(b'caf\xe9\n')
    with pytest.raises(SplitError, match='not a text file in UTF-8'):
        load(root, 'odd')


def test_the_images_own_size_counts(root, capture_log):
    xml = root / 'Annotations/val_00000.xml'
    text = xml.read_text()
    first, rest = text.split('<width>', 1)
    xml.write_text(f'{first}<width>20{rest[rest.index("<"):]}')
    boxes = load(root, 'val', test_mode=True).get_data_info(0)['instances']
    assert len(boxes) == text.count('<object>')
    assert 'val_00000.xml: says 20x' in capture_log()


def test_classes_that_no_annotation_has(shapes_root):
    with pytest.raises(ClassesError, match=r'no image is left.*circle \(.*; the config '
                                           'asks for cat, dog$'):
        load(shapes_root, classes=('cat', 'dog'))
    with pytest.raises(ClassesError, match=r'circel \(did you mean circle\?\)'):
        load(shapes_root, classes=('circel', 'star'))
    assert len(load(shapes_root, classes=('circel', 'star'),
                    allow_missing_classes=True)) == 24


def test_left_out_classes_and_boxes_are_reported(root, capture_log):
    path = root / 'Annotations/train_00001.xml'
    text = path.read_text()
    xmin = text.split('<xmin>')[1].split('<')[0]
    first, rest = text.split('<xmax>', 1)
    path.write_text(f'{first}<xmax>{xmin}{rest[rest.index("<"):]}')
    data = load(root, classes=('circle', 'star'))
    log = capture_log()
    assert 'train_00001.xml: object 1' in log and 'degenerate' in log
    assert '1 boxes skipped, all others are used' in log
    assert 'left out' in log and 'square (' in log
    labels = {item['bbox_label'] for i in range(24)
              for item in data.get_data_info(i)['instances']}
    assert labels == {0, 1}


def test_images_without_boxes_are_counted(shapes_root, capture_log):
    options = dict(classes=('star',), filter_cfg=dict(filter_empty_gt=True))
    kept = load(shapes_root, **options)
    assert 0 < len(kept) < 24
    assert f'{24 - len(kept)} images without a box' in capture_log()
    assert len(load(shapes_root, test_mode=True, **options)) == 24


def test_images_of_another_suffix_and_without_a_size(root):
    from PIL import Image
    path = root / 'JPEGImages/val_00000.jpg'
    Image.open(path).save(path.with_suffix('.png'))
    size = Image.open(path).size
    path.unlink()
    xml = root / 'Annotations/val_00000.xml'
    text = xml.read_text()
    xml.write_text(text[:text.index('<size>')] + text[text.index('</size>') + 7:])
    info = load(root, 'val', test_mode=True).get_data_info(0)
    assert info['img_path'].endswith('.png')
    assert (info['width'], info['height']) == size


@pytest.mark.parametrize('name', ['../../secret', '/etc/passwd', 'a/../../b'])
def test_a_name_that_leads_out_of_the_folder(root, name):
    (root / 'ImageSets/Main/val.txt').write_text(f'val_00000\n{name}\n')
    with pytest.raises(UserError, match=r'val\.txt: refused.*leads out of it'):
        load(root, 'val')


def test_a_picture_that_is_turned_by_its_exif_tag(root):
    """It is trained on turned, and its boxes are those of the turned picture."""
    from PIL import Image
    exif = Image.Exif()
    exif[274] = 6
    Image.new('RGB', (100, 60)).save(root / 'JPEGImages/val_00000.jpg', exif=exif)
    write_xml(root, 'val_00000', [('circle', 6, 31, 51, 96)], size=(60, 100))
    (root / 'ImageSets/Main/val.txt').write_text('val_00000\n')
    info = load(root, 'val', test_mode=True).get_data_info(0)
    assert (info['width'], info['height']) == (60, 100)
    assert info['instances'][0]['bbox'] == [5, 30, 50, 95]
