"""Annotations as the tools write them that people draw boxes with."""

import json

import pytest
from labelled import BOX, picture
from prepare.folders import (
    COCO,
    POINTS,
    SHARES,
    X1,
    X2,
    Y1,
    Y2,
    H,
    W,
    coco_of,
    edges_of,
    left,
    understood,
    write,
)

from frcnn_plugin.errors import DataError
from frcnn_plugin.prepare.understand import understand

PER_CENT = dict(x=100 * X1 / W, y=100 * Y1 / H, width=100 * (X2 - X1) / W,
                height=100 * (Y2 - Y1) / H, rotation=0)
FILES = {  # a tool: its files, as it writes them
    'LabelMe': {'a.json': dict(
        version='5.0.1', flags={}, imagePath='a.jpg', imageData=None, imageHeight=H,
        imageWidth=W, shapes=[dict(label='dog', points=[[X1, Y1], [X2, Y2]],
                                   shape_type='rectangle', group_id=None)])},
    'LabelMe, polygon': {'x/a.json': dict(
        imagePath='..\\a.jpg', imageHeight=H, imageWidth=W, shapes=[
            dict(label='dog', points=POINTS, shape_type='polygon')])},
    'COCO': {'instances.json': COCO},
    'COCO, polygon': {'instances.json': {**COCO, 'annotations': [dict(
        id=1, image_id=1, category_id=3, iscrowd=0,
        segmentation=[[value for point in POINTS for value in point]])]}},
    'Roboflow': {'train/_annotations.coco.json': COCO},
    'VoTT': {'vott-json-export/animals-export.json': dict(
        name='animals', tags=[dict(name='dog')], assets={'5f': dict(
            asset=dict(name='a.jpg', size=dict(width=W, height=H)),
            regions=[dict(tags=['dog'], boundingBox=dict(
                left=X1, top=Y1, width=X2 - X1, height=Y2 - Y1))])})},
    'VoTT, one file each': {'5f3a-asset.json': dict(
        asset=dict(name='a.jpg', size=dict(width=W, height=H)), version='2.2.0',
        regions=[dict(tags=['dog'], points=[dict(x=x, y=y) for x, y in POINTS])])},
    'VoTT, CSV': {'export.csv': f'"image","xmin","ymin","xmax","ymax","label"\n"a.jpg",'
                                f'{X1}.0,{Y1}.0,{X2}.0,{Y2}.0,"dog"\n'},
    'TensorFlow': {'labels.csv': 'filename,width,height,class,xmin,ymin,xmax,ymax\n'
                                 f'a.jpg,{W},{H},dog,{X1},{Y1},{X2},{Y2}\n'},
    'RetinaNet': {'annotations.csv': f'a.jpg,{X1},{Y1},{X2},{Y2},dog\n'},
    'makesense.ai, CSV': {'labels_2024.csv':
                          f'dog,{X1},{Y1},{X2 - X1},{Y2 - Y1},a.jpg,{W},{H}\n'},
    'VGG Image Annotator': {'via_export_json.json': {'a.jpg1234': dict(
        filename='a.jpg', size=1234, file_attributes={}, regions=[dict(
            shape_attributes=dict(name='rect', x=X1, y=Y1, width=X2 - X1,
                                  height=Y2 - Y1),
            region_attributes=dict(kind='dog'))])}},
    'VGG Image Annotator, project': {'via_project.json': dict(
        _via_settings={}, _via_img_metadata={'a.jpg1': dict(
            filename='a.jpg', size=1, regions={'0': dict(
                shape_attributes=dict(name='polygon', all_points_x=[X1, X2, X1],
                                      all_points_y=[Y1, Y1, Y2]),
                region_attributes=dict(kind='dog'))})})},
    'CreateML': {'_annotations.createml.json': [dict(image='a.jpg', annotations=[dict(
        label='dog', coordinates=dict(x=(X1 + X2) / 2, y=(Y1 + Y2) / 2, width=X2 - X1,
                                      height=Y2 - Y1))])]},
    'Sloth': {'labels.json': [{'class': 'image', 'filename': 'a.jpg', 'annotations': [{
        'class': 'dog', 'x': X1, 'y': Y1, 'width': X2 - X1, 'height': Y2 - Y1}]}]},
    'Supervisely': {'ds0/ann/a.jpg.json': dict(
        description='', tags=[], size=dict(width=W, height=H), objects=[dict(
            classTitle='dog', geometryType='rectangle', points=dict(
                exterior=[[X1, Y1], [X2, Y2]], interior=[]))])},
    'Label Studio': {'project-1.json': [dict(
        id=1, data=dict(image='/data/upload/1/5d3b1a2c-a.jpg'), annotations=[dict(
            was_cancelled=False, result=[dict(
                type='rectanglelabels', original_width=W, original_height=H,
                value=dict(PER_CENT, rectanglelabels=['dog']))])])]},
    'Label Studio, JSON-MIN': {'project-1.json': [dict(
        image='/data/upload/1/5d3b1a2c-a.jpg', id=1, annotation_id=4, label=[dict(
            original_width=W, original_height=H, **PER_CENT,
            rectanglelabels=['dog'])])]},
    'CVAT': {'annotations.xml':
             f'<annotations><version>1.1</version><image id="0" name="x/a.jpg" width='
             f'"{W}" height="{H}"><box label="dog" xtl="{X1}.0" ytl="{Y1}.0" '
             f'xbr="{X2}.0" ybr="{Y2}.0" occluded="0"/></image></annotations>'},
    'CVAT, polygon and mask': {'annotations.xml':
             f'<annotations><image id="0" name="a.jpg" width="{W}" height="{H}">'
             f'<polygon label="dog" points="{X1},{Y1};{X2},{Y1};{X2},{Y2}"/>'
             f'<mask label="dog" left="{X1}" top="{Y1}" width="{X2 - X1}" '
             f'height="{Y2 - Y1}" rle="1"/></image></annotations>'},
    'LabelMe, XML': {'a.xml':
             '<annotation><filename>a.jpg</filename><object><name>dog</name><deleted>0'
             '</deleted><polygon>' + ''.join(
                 f'<pt><x>{x}</x><y>{y}</y></pt>' for x, y in POINTS)
             + '</polygon></object><object><name>dog</name><deleted>1</deleted>'
             '</object></annotation>'},
    'roLabelImg': {'a.xml':
             '<annotation><object><type>robndbox</type><name>dog</name><robndbox>'
             f'<cx>{(X1 + 1 + X2) / 2}</cx><cy>{(Y1 + 1 + Y2) / 2}</cy><w>{X2 - X1 - 1}'
             f'</w><h>{Y2 - Y1 - 1}</h><angle>0</angle></robndbox></object>'
             '</annotation>'},
    'Darknet': {'a.txt': f'0 {SHARES}', 'obj.names': 'dog\n'},
    'YOLO, with a score': {'a.txt': f'0 {SHARES} 0.9',
                           'classes.txt': 'dog\n'},
    'Ultralytics': {
        'labels/train/a.txt': f'0 {SHARES}',
        'dataset.yaml': 'path: C:/Users/me/set\ntrain: images/train\nnames:\n  0: dog'},
}


@pytest.mark.parametrize('tool', FILES)
def test_files_as_a_tool_writes_them(tmp_path, tool):
    picture(tmp_path / 'a.jpg')
    picture(tmp_path / 'unlabelled.jpg', 1)
    for name, content in FILES[tool].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    found = understood(tmp_path)
    for name, *edges in edges_of(found):
        assert name == 'dog' and edges == pytest.approx(BOX, abs=1e-3)
    assert left(found).pop('no annotation') == (1, 0)
    if tool == 'CVAT, polygon and mask':  # which are equal, and count once
        assert left(found)['the same box again'] == (0, 1)
    else:
        assert left(found).keys() == {'no annotation'}


@pytest.mark.parametrize(('content', 'number'), [
    (dict(imagePath='a.jpg', shapes=[None, dict(label='x', points=[[1], [2]]), dict(
        label='x', points=[[None, 1], [2, 3]]), dict(label='dog', points=POINTS)]), 3),
    ({'a': dict(filename='a.jpg', regions=[
        dict(shape_attributes=dict(x=1, y=1, width=None, height=3)),
        dict(shape_attributes=dict(x=X1, y=Y1, width=X2 - X1, height=Y2 - Y1),
             region_attributes=dict(kind=dict(dog=True, cat=False)))])}, 1),
    (dict(asset=dict(name='a.jpg'), regions=[
        dict(boundingBox=dict(left=1)), dict(tags=['dog'], boundingBox=dict(
            left=X1, top=Y1, width=X2 - X1, height=Y2 - Y1))]), 1),
])
def test_one_bad_shape_costs_one_box(tmp_path, content, number):
    picture(tmp_path / 'a.jpg')
    (tmp_path / 'a.json').write_text(json.dumps(content))
    found = understood(tmp_path)
    ((name, *edges),) = edges_of(found)
    assert name == 'dog' and edges == pytest.approx(BOX)
    assert left(found)['bad box'][1] == number


@pytest.mark.parametrize(('change', 'boxes'), [
    (lambda content: None, {'a': 1, 'b': 1}),
    (lambda content: [image.update(id=float(image['id']))
                      for image in content['images']], {'a': 1, 'b': 1}),
    (lambda content: [item.update(image_id=str(item['image_id']))
                      for item in content['annotations']], {'a': 1, 'b': 1}),
    (lambda content: content['images'][1].update(id=1), None),
    (lambda content: content['images'][1].pop('id'), None),
    (lambda content: content['categories'].append(dict(id=3, name='cat')), None),
])
def test_ids_of_coco(tmp_path, change, boxes):
    content = json.loads(json.dumps(COCO))
    content['images'].append(dict(id=2, file_name='b.jpg', width=W, height=H))
    content['annotations'].append({**content['annotations'][0], 'id': 2, 'image_id': 2})
    change(content)
    for seed, name in enumerate('ab'):
        picture(tmp_path / f'{name}.jpg', seed)
    (tmp_path / 'a.json').write_text(json.dumps(content))
    if boxes is None:
        with pytest.raises(DataError, match='have an id of their own'):
            understand(tmp_path)
        return
    found = understood(tmp_path)
    assert {each.image.stem: len(each.objects) for each in found.pictures} == boxes


def test_other_files_of_coco(tmp_path):
    picture(tmp_path / 'train2017/a.jpg')
    captions = coco_of('a.jpg')
    captions['annotations'] = [dict(id=5, image_id=0, caption='A dog.')]
    write(tmp_path, {'annotations/instances_train2017.json': coco_of('a.jpg'),
                     'annotations/captions_train2017.json': captions,
                     'annotations/agnostic.json': coco_of('a.jpg', label='object')})
    found = understood(tmp_path)
    ((name, *_),) = edges_of(found)
    assert name == 'dog'
    assert left(found) == {'another annotation of the same picture': (0, 1)}


def label_studio(image, **value):
    kind, = (key for key in value if 'labels' in key)
    return dict(id=1, data=dict(image=image), annotations=[dict(
        was_cancelled=False, result=[dict(type=kind, original_width=W,
                                          original_height=H, value=value)])])


def test_a_turned_box_of_label_studio(tmp_path):
    picture(tmp_path / 'a.jpg', size=(100, 80))
    value = dict(x=50, y=20, width=30, height=10, rotation=90, rectanglelabels=['dog'])
    (tmp_path / 'a.json').write_text(json.dumps([dict(
        data=dict(image='a.jpg'), annotations=[dict(result=[dict(
            original_width=100, original_height=80, value=value)])])]))
    ((_, *edges),) = edges_of(understood(tmp_path))
    assert edges == pytest.approx((42, 16, 50, 46))


@pytest.mark.parametrize(('called', 'task'), [
    ('images/a.jpg', label_studio('/data/local-files/?d=images/a.jpg',
                                  rectanglelabels=['dog'], **PER_CENT)),
    ('images/my a.jpg', label_studio('s3://bucket/images/my%20a.jpg',
                                     labels=['dog'], **PER_CENT)),
    ('a.jpg', dict(image='/data/upload/1/1a2b3c4d-a.jpg', annotation_id=1, label=[dict(
        points=[[100 * x / W, 100 * y / H] for x, y in POINTS],
        polygonlabels=['dog'], original_width=W, original_height=H)]))])
def test_label_studios_other_names_and_shapes(tmp_path, called, task):
    picture(tmp_path / called)
    (tmp_path / 'a.json').write_text(json.dumps([task]))
    (found,) = understood(tmp_path).pictures
    assert found.objects[0].name == 'dog'
    assert found.objects[0].bbox[:2] == pytest.approx(BOX[:2], abs=1e-3)


def test_what_label_studio_exports_beside_the_originals(tmp_path):
    picture(tmp_path / 'photos/a.jpg')
    write(tmp_path, {'labels/1a2b3c4d-a.txt': f'0 {SHARES}',
                     'classes.txt': 'dog\n'})
    ((name, *edges),) = edges_of(understood(tmp_path))
    assert name == 'dog' and edges == pytest.approx(BOX, abs=1e-3)


@pytest.mark.parametrize('attributes', [
    {'id': '1', 'class': 'dog'}, {'color': 'red', 'type': 'dog'},
    {'quality': {'good': True, 'blur': False}, 'name': 'dog'},
    {'Truncated': 'no', 'Label': 'dog'}, {'animal': 'dog', 'color': 'red'}])
def test_the_class_among_the_attributes_of_via(tmp_path, attributes):
    picture(tmp_path / 'a.jpg')
    (tmp_path / 'a.json').write_text(json.dumps({'a.jpg1': dict(
        filename='a.jpg', regions=[dict(
            shape_attributes=dict(x=X1, y=Y1, width=X2 - X1, height=Y2 - Y1),
            region_attributes=attributes)])}))
    ((name, *_),) = edges_of(understood(tmp_path))
    assert name == 'dog'


def test_tracks_of_cvat(tmp_path):
    for number in range(2):
        picture(tmp_path / f'images/frame_00000{number}.png', number)
    box = f'xtl="{X1}" ytl="{Y1}" xbr="{X2}" ybr="{Y2}"'
    (tmp_path / 'annotations.xml').write_text(
        f'<annotations><track id="0" label="dog"><box frame="0" outside="0" {box}/>'
        f'<box frame="1" outside="1" {box}/></track><track id="1" label="dog">'
        '<points frame="1" outside="0" points="1,2"/></track></annotations>')
    found = understood(tmp_path)
    ((name, *edges),) = edges_of(found, 'frame_000000')
    assert name == 'dog' and edges == pytest.approx(BOX)
    assert len(found.pictures) == 1


def test_two_data_sets_of_supervisely(tmp_path):
    content, = FILES['Supervisely'].values()
    for number in (1, 2):
        picture(tmp_path / f'ds{number}/img/a.jpg', number)
        write(tmp_path, {f'ds{number}/ann/a.jpg.json': content})
    found = understood(tmp_path)
    assert len(found.pictures) == 2 and all(each.objects for each in found.pictures)
