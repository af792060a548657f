"""Folders in COCO layout: what comes in, and what is refused or left out by name."""

import copy
import json
import os
import pickle

import pytest
from mmdet.datasets import CocoDataset
from PIL import Image

from frcnn_plugin.datasets import CocoFolder
from frcnn_plugin.errors import UserError

CONTENT = dict(
    images=[dict(id=7, file_name='a.jpg', width=100, height=80),
            dict(id=3, file_name='sub/b.jpg', width=100, height=80)],
    categories=[dict(id=9, name='cat'), dict(id=2, name='dog')],
    annotations=[
        dict(id=1, image_id=7, category_id=9, bbox=[10, 20, 30.5, 40], area=1220,
             iscrowd=0),
        dict(id=2, image_id=7, category_id=2, bbox=[0, 0, 100, 80], area=8000,
             iscrowd=1),
        dict(id=3, image_id=3, category_id=2, bbox=[-5, 3, 20, 20], area=400,
             iscrowd=0)])


@pytest.fixture
def build(tmp_path):
    """Writes the content, changed, and reads it with ours or another class."""
    (tmp_path / 'images/sub').mkdir(parents=True)
    for name in ('a.jpg', 'sub/b.jpg'):
        Image.new('RGB', (100, 80)).save(tmp_path / 'images' / name)

    def read(change=None, kind=CocoFolder, classes=('cat', 'dog'), **options):
        content = copy.deepcopy(CONTENT)
        text = change(content) if change else None
        (tmp_path / 'a.json').write_text(
            text if isinstance(text, str) else json.dumps(content))
        return kind(data_root=str(tmp_path), ann_file='a.json', pipeline=[],
                    data_prefix=dict(img='images/'), metainfo=dict(classes=classes),
                    **options)
    return read


@pytest.mark.parametrize('classes', [('cat', 'dog'), ('dog',)])
@pytest.mark.parametrize('test_mode', [True, False])
def test_the_data_are_those_of_mmdet(build, classes, test_mode):
    options = dict(classes=classes, test_mode=test_mode,
                   filter_cfg=dict(filter_empty_gt=True, min_size=32))
    ours, theirs = build(**options), build(kind=CocoDataset, **options)
    def by_name(data):
        return sorted(([data.get_data_info(i) for i in range(len(data))]),
                      key=lambda info: info['img_path'])
    assert len(ours) == 2
    for one, other in zip(by_name(ours), by_name(theirs), strict=True):
        one.pop('sample_idx'), other.pop('sample_idx')
        assert one == other


@pytest.mark.parametrize(('entry', 'kind'), [
    (dict(bbox=[5, 5, 0, 9]), 'degenerate box'),
    (dict(bbox=[200, 5, 9, 9]), 'outside the image'),
    (dict(bbox=[1, 2, 3]), 'not four numbers'),
    (dict(bbox=[1, 2, 3, 'x']), 'not four numbers'),
    (dict(bbox=[1, 2, float('nan'), 4]), 'not four numbers'),
    (dict(bbox=None), 'not four numbers'),
    (dict(area='9'), 'its area is "9", not a number'),
    (dict(area=None), 'its area is null, not a number'),
    (dict(image_id=55), 'no image 55'),
    (dict(image_id=[7]), 'no image'),
    (dict(category_id=55), 'no category 55'),
])
def test_a_bad_annotation_is_named_and_costs_nothing_else(build, capture_log, entry,
                                                          kind):
    good = dict(id=4, image_id=7, category_id=9, bbox=[1, 1, 9, 9], area=81)
    data = build(lambda c: c['annotations'].append({**good, **entry}))
    assert 'annotation 4' in capture_log() and kind in capture_log()
    assert sum(len(info['instances']) for info in map(
        data.get_data_info, range(len(data)))) == 3


@pytest.mark.parametrize('name', [
    '../secret.jpg', '/etc/passwd', 'sub/../../x.jpg', '..\\x.jpg', 's3://x/y.jpg'])
def test_a_name_that_leads_out_of_the_folder(build, name):
    with pytest.raises(UserError, match='leads out of the folder'):
        build(lambda c: c['images'][0].update(file_name=name))


@pytest.mark.parametrize(('change', 'says'), [
    (lambda c: '{"images": [', 'not a readable JSON file'),
    (lambda c: '[' * 100000, 'not a readable JSON file'),
    (lambda c: '[]', 'has no list of images'),
    (lambda c: c.update(annotations={}), 'has no list of annotations'),
    (lambda c: c.pop('categories') and None, 'has no list of categories'),
    (lambda c: c['images'].append(3), 'an entry of images has no id'),
    (lambda c: c['images'].append(c['images'][0]), 'the id 7 occurs twice in images'),
    (lambda c: c['annotations'].append(c['annotations'][0]), 'the id 1 occurs twice'),
    (lambda c: c['images'][1].pop('file_name') and None, 'image 3 has no file_name'),
    (lambda c: c['images'][1].update(width=0), 'has no width'),
    (lambda c: c['images'][1].update(height='80'), 'has no height'),
    (lambda c: c['categories'][0].update(name=4), 'category 9 has no name'),
    (lambda c: c['images'][1].update(file_name='gone.jpg'), 'gone.jpg: the image is'),
    (lambda c: c.update(annotations=[]), 'no annotation has the class cat'),
])
def test_a_bad_file_is_refused_in_one_line(build, change, says):
    with pytest.raises(UserError, match=says) as error:
        build(change)
    assert '\n' not in str(error.value)


def test_a_missing_file(build, tmp_path):
    with pytest.raises(UserError, match=r'b\.json: the annotation file is missing'):
        CocoFolder(data_root=str(tmp_path), ann_file='b.json', pipeline=[])


@pytest.mark.parametrize(('classes', 'says'), [
    (('cat', 'doog'), r'doog \(did you mean dog'),
    (('cow', 'hen'), r'the annotations have the classes dog \(2\), cat \(1\)'),
    (('dog', 'cat'), 'another order than the classes: cat dog'),
])
def test_classes_that_do_not_fit(build, classes, says):
    with pytest.raises(UserError, match=says):
        build(classes=classes)


def test_a_class_may_be_missing_where_that_is_meant(build):
    data = build(classes=('cat', 'cow'), allow_missing_classes=True)
    assert data.cat2label == {9: 0}


def test_images_without_boxes_are_counted(build, capture_log):
    data = build(lambda c: c['annotations'].pop() and None,
                 filter_cfg=dict(filter_empty_gt=True))
    assert len(data) == 1
    assert '1 images without a box' in capture_log()


def test_proposals_that_would_run_code(build, tmp_path):
    class Code:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / 'created'),)

    (tmp_path / 'p.pkl').write_bytes(pickle.dumps({'images/a.jpg': Code()}))
    with pytest.raises(UserError, match='refused'):
        build(proposal_file='p.pkl')
    assert not (tmp_path / 'created').exists()


def test_a_category_that_a_test_file_lacks(build):
    """CocoMetric counts the categories that are there, so that labels would shift."""
    options = dict(test_mode=True)
    assert build(classes=('cat', 'dog', 'cow'), **options).cat2label == {9: 0, 2: 1}
    with pytest.raises(UserError, match='its categories lack one of the classes'):
        build(classes=('cat', 'cow', 'dog'), **options)
