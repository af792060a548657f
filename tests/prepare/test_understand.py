"""A folder of any layout is understood, and nothing is lost without a word."""

import csv
import json
import unicodedata

import pytest
from labelled import BOX, SIZE, picture, xml

from frcnn_plugin.commands.arguments.data import FORMATS as FORMATS_OF_THE_COMMAND
from frcnn_plugin.commands.prepare import prepare
from frcnn_plugin.datasets import VOCFolder
from frcnn_plugin.datasets.voc_annotation import read_voc_annotation
from frcnn_plugin.errors import DataError, OutputExistsError
from frcnn_plugin.prepare.files import find_files
from frcnn_plugin.prepare.formats import FORMATS
from frcnn_plugin.prepare.understand import understand


def edges_of(found, stem='a'):
    """Names and edges of the boxes of the picture of a name."""
    (picture,) = (each for each in found.pictures if each.image.stem == stem)
    return [(item.name, *item.bbox[:2], item.bbox[2] + 1, item.bbox[3] + 1)
            for item in picture.objects]


def understood(root, **options):
    found = understand(root, **options)
    assert found.account.adds_up(), found.account.rows()
    return found


def left(found):
    """(pictures, boxes) left out, by reason."""
    return {name.removeprefix('left out: '): (pictures, boxes)
            for name, pictures, boxes in found.account.rows()[2:]}


X1, Y1, X2, Y2 = BOX
W, H = SIZE
SHARES = (X1 + X2) / 2 / W, (Y1 + Y2) / 2 / H, (X2 - X1) / W, (Y2 - Y1) / H
POINTS = [[X1, Y1], [X2, Y1], [X2, Y2], [X1, Y2]]
PER_CENT = dict(x=100 * X1 / W, y=100 * Y1 / H, width=100 * (X2 - X1) / W,
                height=100 * (Y2 - Y1) / H, rectanglelabels=['dog'])
COCO = dict(
    images=[dict(id=1, file_name='a.jpg', width=W, height=H)],
    categories=[dict(id=3, name='dog')], annotations=[
        dict(id=1, image_id=1, category_id=3, bbox=[X1, Y1, X2 - X1, Y2 - Y1])])
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
                value=PER_CENT)])])]},
    'Label Studio, JSON-MIN': {'project-1.json': [dict(
        image='/data/upload/1/5d3b1a2c-a.jpg', id=1, annotation_id=4, label=[dict(
            original_width=W, original_height=H, **PER_CENT)])]},
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
    'Darknet': {'a.txt': '0 ' + ' '.join(map(str, SHARES)), 'obj.names': 'dog\n'},
    'YOLO, with a score': {'a.txt': '0 ' + ' '.join(map(str, SHARES)) + ' 0.9',
                           'classes.txt': 'dog\n'},
    'Ultralytics': {
        'labels/train/a.txt': '0 ' + ' '.join(map(str, SHARES)),
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


def test_the_command_knows_all_formats():
    """The parser has a list of its own, which takes no time to import."""
    assert tuple(FORMATS_OF_THE_COMMAND) == FORMATS


def test_one_name_twice_ends_nothing(tmp_path):
    """Pictures of one name in train and test, at two sizes, and in two formats."""
    for seed, part in enumerate(('train', 'test')):
        picture(tmp_path / part / '1.jpg', seed)
        xml(tmp_path / part / '1.xml', '1.jpg', [(part, *BOX)])
    picture(tmp_path / 'original/b.jpg', 5)
    xml(tmp_path / 'original/b.xml', 'b.jpg')
    picture(tmp_path / 'downscaled/b.jpg', 6, (32, 24))
    picture(tmp_path / 'c.jpg', 7)
    picture(tmp_path / 'c.png', 8)
    xml(tmp_path / 'c.xml', 'c.png')
    found = understood(tmp_path)
    assert sorted(each.name for each in found.pictures) == [
        'b', 'c', 'test/1', 'train/1']
    by_name = {each.name: each for each in found.pictures}
    assert by_name['test/1'].objects[0].name == 'test'
    assert by_name['c'].image.suffix == '.png'
    assert left(found) == {
        'no annotation, a picture of the same name has one': (2, 0)}


def test_copies_count_once(tmp_path):
    for name in ('a', 'x/a', 'copy of a'):
        picture(tmp_path / f'{name}.jpg')
        xml(tmp_path / f'{name}.xml', 'a.jpg')
    found = understood(tmp_path)
    assert len(found.pictures) == 1
    assert left(found) == {'the same picture again': (2, 2)}


def test_the_file_name_in_the_annotation_links(tmp_path):
    picture(tmp_path / 'images/photo.jpg')
    xml(tmp_path / 'labels/0001.xml', 'C:\\Users\\me\\photo.jpg')
    # an annotation that was renamed: the stated size says whose it is
    picture(tmp_path / 'images/119.jpg', 1, (50, 40))
    picture(tmp_path / 'images/159.jpg', 2, (60, 30))
    xml(tmp_path / 'labels/119.xml', '159.jpg', [('cat', *BOX)], (60, 30))
    found = understood(tmp_path)
    assert edges_of(found, 'photo')[0][0] == 'dog'
    assert edges_of(found, '159')[0][0] == 'cat'
    assert left(found) == {'no annotation': (1, 0)}


def test_annotations_without_a_usable_picture_are_counted(tmp_path):
    picture(tmp_path / 'a.webp')
    xml(tmp_path / 'a.xml')
    picture(tmp_path / 'b.gif', 1)
    xml(tmp_path / 'b.xml')
    xml(tmp_path / 'gone.xml', 'gone.jpg', [('dog', *BOX), ('cat', *BOX)])
    (tmp_path / 'pointer.jpg').write_text(
        'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n')
    xml(tmp_path / 'pointer.xml')
    (tmp_path / 'broken.xml').write_text('<annotation><object>')
    found = understood(tmp_path)
    assert edges_of(found)
    assert left(found) == {
        'no picture': (0, 2), 'unreadable picture': (1, 1), '.gif is not read': (1, 1),
        'unreadable annotation': (0, 0)}
    details = [item.detail for item in found.account.left_pictures]
    assert any('git lfs pull' in detail for detail in details)


def test_a_size_of_another_picture(tmp_path):
    picture(tmp_path / 'resized.jpg', 0, (32, 24))
    xml(tmp_path / 'resized.xml', boxes=[('dog', 20, 16, 60, 40)])  # of the large one
    picture(tmp_path / 'doubtful.jpg', 1, (32, 24))
    xml(tmp_path / 'doubtful.xml', boxes=[('dog', 2, 2, 20, 20)])  # would fit both
    found = understood(tmp_path)
    assert edges_of(found, 'resized') == [('dog', 10, 8, 30, 20)]
    assert left(found) == {'size of another picture': (1, 1)}
    assert len(understood(tmp_path, frame='upright').pictures) == 2


@pytest.mark.parametrize('name', [
    'with space 1', 'Ünïcode', '图片', 'a' * 240, 'two.dots.jpg', 'UPPER', "it's"])
def test_names(tmp_path, name):
    picture(tmp_path / f'in/{name}.JPG', format='JPEG')
    xml(tmp_path / f'in/{name}.xml')
    picture(tmp_path / 'in/other.Png', 1, format='PNG')
    xml(tmp_path / 'in/other.xml')
    out = prepare([str(tmp_path / 'in'), '-o', str(tmp_path / 'out'), '--split', '0.5',
                   '0.5'])
    sizes = [len(VOCFolder(str(out), split=split, metainfo=dict(classes=('dog',))))
             for split in ('train', 'val')]
    assert sizes == [1, 1]


def test_names_that_differ_in_case_only(tmp_path):
    for seed, name in enumerate(('A', 'a')):
        picture(tmp_path / f'{name}.jpg', seed)
        xml(tmp_path / f'{name}.xml', f'{name}.jpg')
    names = [each.name.lower() for each in understood(tmp_path).pictures]
    assert len(set(names)) == 2


def test_a_link_that_leads_back_and_linked_folders(tmp_path):
    picture(tmp_path / 'real/a.jpg')
    xml(tmp_path / 'real/a.xml')
    (tmp_path / 'set').mkdir()
    (tmp_path / 'set/pictures').symlink_to(tmp_path / 'real')
    (tmp_path / 'real/back').symlink_to(tmp_path / 'set')
    assert len(understood(tmp_path / 'set').pictures) == 1
    assert len(find_files(tmp_path / 'set').pictures) == 1


def test_everything_left_out_is_listed(tmp_path):
    picture(tmp_path / 'in/a.jpg')
    xml(tmp_path / 'in/a.xml', boxes=[('dog', *BOX), ('dog', 9, 9, 9, 9)])
    xml(tmp_path / 'in/b.xml')
    out = prepare([str(tmp_path / 'in'), '-o', str(tmp_path / 'out')])
    with open(out / 'left_out.csv', newline='') as file:
        rows = {(row['file'].rpartition('/')[2], row['reason'], row['boxes'])
                for row in csv.DictReader(file)}
    assert rows == {('a.xml', 'degenerate box', '1'), ('b.xml', 'no picture', '1')}


def test_a_dry_run_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / 'in/a.jpg')
    xml(tmp_path / 'in/a.xml')
    before = sorted(tmp_path.rglob('*'))
    prepare(['in', '--dry-run'])
    assert sorted(tmp_path.rglob('*')) == before
    assert 'in_voc would be' in capsys.readouterr().out


def test_formats_and_folders_can_be_chosen(tmp_path):
    picture(tmp_path / 'one/a.jpg')
    xml(tmp_path / 'one/a.xml', boxes=[('of xml', *BOX)])
    (tmp_path / 'one/a.txt').write_text('0 ' + ' '.join(map(str, SHARES)))
    (tmp_path / 'one/classes.txt').write_text('of yolo\n')
    picture(tmp_path / 'two/b.jpg', 1)
    xml(tmp_path / 'two/b.xml')
    assert edges_of(understood(tmp_path))[0][0] == 'of xml'
    assert edges_of(understood(tmp_path, kind='yolo'))[0][0] == 'of yolo'
    assert len(understood(tmp_path, only=['two']).pictures) == 1


def test_numbers_are_no_classes_beside_names(tmp_path):
    picture(tmp_path / 'a.jpg')
    xml(tmp_path / 'a.xml')
    picture(tmp_path / 'b.jpg', 1)
    (tmp_path / 'b.txt').write_text('7 ' + ' '.join(map(str, SHARES)))
    assert left(understood(tmp_path)) == {
        'classes without names': (0, 1), 'no annotation': (1, 0)}


@pytest.mark.parametrize(('files', 'says'), [
    ({}, 'no picture in it'),
    ({'a.txt': 'hello'}, 'no picture in it, only .txt'),
    ({'a.jpg': None}, '1 picture, and no annotation in a format'),
    ({'a.jpg': None, 'b.xml': None}, r'no picture \(0 pictures, 1 box\)'),
    ({'a.jpg': None, 'a.txt': '0 0.5 x\n'}, 'no annotation in a format'),
])
def test_nothing_that_can_be_used_is_one_line(tmp_path, files, says):
    for name, content in files.items():
        if name.endswith('.jpg'):
            picture(tmp_path / name)
        elif content is None:
            xml(tmp_path / name)
        else:
            (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=says) as error:
        understand(tmp_path)
    assert '\n' not in str(error.value)


def test_an_output_never_touches_what_is_there(tmp_path):
    picture(tmp_path / 'd/images/a.jpg')
    (tmp_path / 'd/images/a.txt').write_text('1 ' + ' '.join(map(str, SHARES)))
    (tmp_path / 'd/classes.txt').write_text('zebra\napple\n')
    for options in ([str(tmp_path / 'd')], [str(tmp_path / 'd/images')]):
        with pytest.raises(OutputExistsError, match='not in VOC layout'):
            prepare([*options, '-o', str(tmp_path / 'd')])
    assert (tmp_path / 'd/classes.txt').read_text() == 'zebra\napple\n'


def test_a_class_may_be_called_class(tmp_path):
    for seed, name in enumerate('abc'):
        picture(tmp_path / f'{name}.jpg', seed)
        xml(tmp_path / f'{name}.xml', boxes=[('class A', *BOX)])
    assert len(understood(tmp_path).pictures) == 3


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


def test_the_folder_comes_before_the_size(tmp_path):
    picture(tmp_path / 'A/images/1.jpg', 1, (120, 90))
    picture(tmp_path / 'B/images/1.jpg', 2)
    xml(tmp_path / 'A/labels/1.xml', boxes=[('of a', *BOX), ('of a', 1, 1, 9, 9)])
    xml(tmp_path / 'B/labels/1.xml', boxes=[('of b', *BOX)])
    found = understood(tmp_path)
    by_folder = {each.image.parent.parent.name: each for each in found.pictures}
    assert [item.name for item in by_folder['B'].objects] == ['of b']
    assert 'A' not in by_folder  # its annotation states another size


def test_a_box_that_hangs_over_decides_nothing(tmp_path):
    picture(tmp_path / 'a.jpg', 0, (50, 50))
    xml(tmp_path / 'a.xml', boxes=[('dog', 10, 10, 40, 40), ('dog', 60, 60, 95, 101)],
        size=(100, 100))
    assert edges_of(understood(tmp_path)) == [
        ('dog', 5, 5, 20, 20), ('dog', 30, 30, 47.5, 50)]


def test_a_turned_box_of_label_studio(tmp_path):
    picture(tmp_path / 'a.jpg', size=(100, 80))
    value = dict(x=50, y=20, width=30, height=10, rotation=90, rectanglelabels=['dog'])
    (tmp_path / 'a.json').write_text(json.dumps([dict(
        data=dict(image='a.jpg'), annotations=[dict(result=[dict(
            original_width=100, original_height=80, value=value)])])]))
    ((_, *edges),) = edges_of(understood(tmp_path))
    assert edges == pytest.approx((42, 16, 50, 46))


def test_key_points_of_yolo_are_no_polygon(tmp_path):
    picture(tmp_path / 'a.jpg', size=(100, 80))
    (tmp_path / 'a.txt').write_text('0 .5 .5 .2 .2 .1 .9 .8 .05\n')
    (tmp_path / 'data.yaml').write_text('names: [dog]\nkpt_shape: [2, 2]\n')
    ((_, *edges),) = edges_of(understood(tmp_path))
    assert edges == pytest.approx((40, 32, 60, 48))


def test_lists_of_classes_that_do_not_agree(tmp_path):
    for seed, (part, names, kind) in enumerate((
            ('a', None, 0), ('b', 'dog\ncat\n', 1), ('c', 'Coin\n', 2),
            ('d', 'coin\nnote\n\nbill\n', 3))):
        picture(tmp_path / f'{part}/{part}.jpg', seed)
        (tmp_path / f'{part}/{part}.txt').write_text(
            f'{kind} ' + ' '.join(map(str, SHARES)))
        if names:
            (tmp_path / f'{part}/classes.txt').write_text(names)
    found = understood(tmp_path, kind='yolo')
    assert edges_of(found, 'b')[0][0] == 'cat'
    assert edges_of(found, 'd')[0][0] == 'bill'  # an empty line counts
    assert left(found) == {'classes without names': (0, 1), 'unknown class': (0, 1),
                           'no annotation': (1, 0)}


def test_a_class_as_a_word_in_yolo(tmp_path):
    picture(tmp_path / 'a.jpg')
    (tmp_path / 'a.txt').write_text('dog ' + ' '.join(map(str, SHARES)))
    assert edges_of(understood(tmp_path))[0][0] == 'dog'


def test_an_empty_file_does_not_beat_one_with_boxes(tmp_path):
    picture(tmp_path / 'a.jpg')
    xml(tmp_path / 'a.xml', boxes=[])
    (tmp_path / 'a.txt').write_text('0 ' + ' '.join(map(str, SHARES)))
    (tmp_path / 'classes.txt').write_text('dog\n')
    found = understood(tmp_path)
    assert edges_of(found)
    assert left(found) == {'the same picture also as yolo': (0, 0)}


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


@pytest.mark.parametrize('text', [
    'filename;class;xmin;ymin;xmax;ymax\na.jpg;hündin;{};{};{};{}\n',
    'a.jpg,,,,,\na.jpg,{},{},{},{},hündin\n',
    'image,label,x,y,width,height\na.jpg,hündin,{0},{1},20,20\n'])
@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'cp1252'])
def test_tables_as_spreadsheets_write_them(tmp_path, text, encoding):
    picture(tmp_path / 'a.jpg')
    (tmp_path / 'a.csv').write_bytes(text.format(*BOX).encode(encoding))
    ((name, *edges),) = edges_of(understood(tmp_path))
    assert name == 'hündin' and edges == pytest.approx(BOX)


def test_names_that_break_files(tmp_path):
    picture(tmp_path / 'in/a.jpg')
    content = json.loads(json.dumps(COCO))
    content['categories'][0]['name'] = '[/red]\n\x0b dog'
    (tmp_path / 'in/a.json').write_text(json.dumps(content))
    (tmp_path / 'in/b.jpg').symlink_to(tmp_path / 'nowhere.jpg')
    out = prepare([str(tmp_path / 'in'), '-o', str(tmp_path / 'out'), '--split', '1'])
    assert (out / 'classes.txt').read_text() == '[/red] dog\n'
    assert len(VOCFolder(str(out), split='train', metainfo=dict(
        classes=('[/red] dog',)))) == 1
    assert 'a link that leads nowhere' in (out / 'left_out.csv').read_text()


def test_many_folders_with_the_same_names(tmp_path):
    """A folder for each picture: each label looks at its own folder only."""
    for number in range(300):
        picture(tmp_path / f's{number}/image.jpg', number, (8, 8))
        xml(tmp_path / f's{number}/image.xml', 'image.jpg', [('dog', 1, 1, 6, 6)],
            (8, 8))
    found = understood(tmp_path)
    assert all(each.image.parent == each.source.parent for each in found.pictures)
    assert len(found.pictures) == 300


def test_what_a_detector_found_is_no_annotation(tmp_path):
    picture(tmp_path / 'a.jpg')
    (tmp_path / 'a.csv').write_text(
        'image,label,x,y,width,height\na.jpg,dog,{},{},20,20\n'.format(*BOX))
    out = tmp_path / 'detections'
    out.mkdir()
    document = json.loads(json.dumps(COCO))
    document['images'][0]['file_name'] = 'a.jpg'
    document['annotations'][0]['bbox'] = [1, 1, 5, 5]
    (out / 'detections.json').write_text(json.dumps(document))
    ((_, *edges),) = edges_of(understood(tmp_path))
    assert edges == pytest.approx([1, 1, 6, 6])  # a file of COCO like any other
    (out / 'detections.run.json').write_text('{}')
    found = understood(tmp_path)
    ((_, *edges),) = edges_of(found)
    assert edges == pytest.approx(BOX) and not left(found)


def write(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))


def coco_of(*names, box=BOX, label='dog'):
    x1, y1, x2, y2 = box
    return dict(
        images=[dict(id=number, file_name=name, width=W, height=H)
                for number, name in enumerate(names)],
        categories=[dict(id=1, name=label)],
        annotations=[dict(id=number, image_id=number, category_id=1,
                          bbox=[x1, y1, x2 - x1, y2 - y1])
                     for number, _ in enumerate(names)])


WHERE = dict(x=100 * X1 / W, y=100 * Y1 / H, width=100 * (X2 - X1) / W,
             height=100 * (Y2 - Y1) / H, rotation=0)


def label_studio(image, **value):
    kind, = (key for key in value if 'labels' in key)
    return dict(id=1, data=dict(image=image), annotations=[dict(
        was_cancelled=False, result=[dict(type=kind, original_width=W,
                                          original_height=H, value=value)])])


@pytest.mark.parametrize('said', ['Unspecified', 'False', '0', '', '1', 'true'])
def test_what_counts_as_difficult(tmp_path, said):
    """makesense.ai writes Unspecified."""
    picture(tmp_path / 'a.jpg')
    xml(tmp_path / 'a.xml')
    text = (tmp_path / 'a.xml').read_text().replace(
        '<difficult>0<', f'<difficult>{said}<')
    (tmp_path / 'a.xml').write_text(text)
    (found,) = understood(tmp_path).pictures
    assert found.objects[0].difficult == (said in ('1', 'true'))
    assert read_voc_annotation(tmp_path / 'a.xml').objects[0].difficult == (
        said in ('1', 'true'))


@pytest.mark.parametrize('text', [
    'filename,xmin,ymin,width,height,class\na.jpg,{},{},20,20,dog\n',
    'image,x,y,w,h,label\na.jpg,{},{},20,20,dog\n',
    'a.jpg,{},{},{},{},dog,64,48\n',
    'filename,x,y,w,h,width,height,class\na.jpg,{},{},20,20,64,48,dog\n',
    'ImageID,XMin,XMax,YMin,YMax,label\na,0.15625,0.46875,0.16667,0.58333,dog\n',
    'id,image_id,file_name,class,class_name,xmin,ymin,xmax,ymax\n'
    '7,1,a.jpg,0,dog,{},{},{},{}\n'])
def test_columns_of_other_tables(tmp_path, text):
    picture(tmp_path / 'a.jpg')
    picture(tmp_path / '1.jpg', 1)
    (tmp_path / 'a.csv').write_text(text.format(*BOX))
    ((name, *edges),) = edges_of(understood(tmp_path))
    assert name == 'dog' and edges == pytest.approx(BOX, abs=0.01)


def test_a_header_that_is_not_understood(tmp_path):
    picture(tmp_path / 'a.jpg')
    (tmp_path / 'a.csv').write_text('bild,links,oben,b,h,art\na.jpg,10,8,20,20,dog\n')
    with pytest.raises(DataError):
        understand(tmp_path)


def test_small_boxes_of_a_file_in_pixels(tmp_path):
    picture(tmp_path / 'a.jpg')
    (tmp_path / 'a.txt').write_text('0 30 20 10 10\n0 1 1 2 2\n')
    picture(tmp_path / 'b.jpg', 1)
    (tmp_path / 'b.txt').write_text('0 0.5 0.5 0.2 0.2\n')
    (tmp_path / 'classes.txt').write_text('dog\n')
    assert left(understood(tmp_path))['bad box'] == (0, 2)


def test_text_files_in_pixels(tmp_path):
    """Read as shares, each box would be the whole picture."""
    for name, line in (('a', '1 10 8 30 28'), ('b', 'dog 10.5 8 30 28.25')):
        picture(tmp_path / f'{name}.jpg', len(line))
        (tmp_path / f'{name}.txt').write_text(f'{line}\n')
    picture(tmp_path / 'c.jpg', 3)
    (tmp_path / 'c.txt').write_text('0 0.5 0.5 0.2 0.2\n')
    (tmp_path / 'classes.txt').write_text('cat\ndog\n')
    found = understood(tmp_path)
    assert not edges_of(found, 'a') and not edges_of(found, 'b') and edges_of(
        found, 'c')
    assert left(found)['bad box'] == (0, 2)
    (tmp_path / 'c.txt').write_text('0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 2.5\n')
    found = understood(tmp_path)  # one such line costs no other one
    assert len(edges_of(found, 'c')) == 1 and left(found)['bad box'] == (0, 3)


@pytest.mark.parametrize('files', [
    {'annotations/instances_train2017.json': coco_of('1.jpg'),
     'annotations/instances_val2017.json': coco_of('1.jpg', box=(1, 1, 9, 9))},
    {'train.csv': 'image,label,x,y,width,height\n1.jpg,dog,10,8,20,20\n',
     'val.csv': 'image,label,x,y,width,height\n1.jpg,dog,1,1,8,8\n'}])
@pytest.mark.parametrize('both', [True, False])
def test_one_name_in_two_splits(tmp_path, files, both):
    write(tmp_path, files)
    picture(tmp_path / 'val/1.jpg', 1)
    if both:
        picture(tmp_path / 'train/1.jpg', 2)
    found = {each.image.parent.name: each.objects[0].bbox[:2]
             for each in understood(tmp_path).pictures}
    assert found == dict(val=(1, 1), **dict(train=(10, 8)) if both else {})


@pytest.mark.parametrize(('called', 'task'), [
    ('images/a.jpg', label_studio('/data/local-files/?d=images/a.jpg',
                                  rectanglelabels=['dog'], **WHERE)),
    ('images/my a.jpg', label_studio('s3://bucket/images/my%20a.jpg',
                                     labels=['dog'], **WHERE)),
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
    write(tmp_path, {'labels/1a2b3c4d-a.txt': '0 ' + ' '.join(map(str, SHARES)),
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


def test_several_yaml_files_in_one_folder(tmp_path):
    picture(tmp_path / 'data/images/train/a.jpg')
    write(tmp_path, {
        'data/labels/train/a.txt': '1 ' + ' '.join(map(str, SHARES)),
        'data/coco.yaml': 'path: ../x\ntrain: images/train2017\nnames: [cat, car]\n',
        'data/a.yaml': f'train: {{lr: {"1" * 300}}}\nnames: [x, y]\n',
        'data/mine.yaml': 'train: data/images/train\nnames: [cat, dog]\n'})
    ((name, *_),) = edges_of(understood(tmp_path))
    assert name == 'dog'


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


def test_letters_and_accents_apart(tmp_path):
    """As macOS has them in names of files."""
    name = 'Äpfel_ü'
    picture(tmp_path / 'images' / unicodedata.normalize('NFD', f'{name}.jpg'))
    (tmp_path / 'a.json').write_text(json.dumps(coco_of(
        unicodedata.normalize('NFC', f'{name}.jpg'))))
    (found,) = understood(tmp_path).pictures
    assert found.objects


def test_text_files_of_names_with_accents_apart(tmp_path):
    stem = unicodedata.normalize('NFD', 'bär')
    picture(tmp_path / f'{stem}.jpg')
    (tmp_path / f'{stem}.txt').write_text('dog ' + ' '.join(map(str, SHARES)))
    ((name, *_),) = edges_of(understood(tmp_path), stem)
    assert name == 'dog'


@pytest.mark.parametrize('stem', [
    '123e4567-e89b-12d3-a456-426614174000', '20230115-120000', '12345678-cat'])
@pytest.mark.parametrize('suffix', ['.jpg', ''])
def test_names_that_are_no_uploads(tmp_path, stem, suffix):
    picture(tmp_path / f'{stem}.png')  # converted since
    (tmp_path / 'a.json').write_text(json.dumps(coco_of(f'{stem}{suffix}')))
    (found,) = understood(tmp_path).pictures
    assert found.objects


def test_a_date_before_a_name_is_no_upload(tmp_path):
    picture(tmp_path / '001.jpg')
    picture(tmp_path / '002.jpg', 1)
    xml(tmp_path / '002.xml')
    (tmp_path / '20230115-001.txt').write_text('dog ' + ' '.join(map(str, SHARES)))
    assert [each.image.stem for each in understood(tmp_path).pictures] == ['002']


def test_the_stated_size_before_the_name_of_a_split(tmp_path):
    picture(tmp_path / 'train/test_001.jpg')
    picture(tmp_path / 'test/test_001.jpg', 1, (32, 20))
    xml(tmp_path / 'anns/test_001.xml')
    (found,) = (each for each in understood(tmp_path).pictures if each.objects)
    assert found.image.parent.name == 'train'


@pytest.mark.parametrize('kind', ['xml', 'txt'])
def test_a_label_of_train_is_of_no_picture_of_test(tmp_path, kind):
    """Its own picture was deleted, and there is one of the same name."""
    picture(tmp_path / 'test/images/1.jpg')
    picture(tmp_path / 'train/images/2.jpg', 2)
    for place, boxes in (('train/labels/1', 2), ('train/labels/2', 1),
                         ('test/labels/1', 1)):
        path = tmp_path / f'{place}.{kind}'
        if kind == 'xml':
            xml(path, boxes=[('dog', *BOX), ('cat', 1, 1, 9, 9)][:boxes])
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f'dog {" ".join(map(str, SHARES))}\n' * boxes)
    found = understood(tmp_path)
    assert all(len(each.objects) == 1 for each in found.pictures)
    assert left(found) == {'no picture': (0, 2)}


@pytest.mark.parametrize(('label', 'pictures', 'names'), [
    ('labels/trainval/a', ['images/train/a.jpg'], ''),
    ('train/labels/a', ['images/test drive/a.jpg'], ''),
    ('train/a', ['test/a.jpg', 'train/b.jpg'], 'x/test/a.jpg')])
def test_folders_that_only_look_like_other_splits(tmp_path, label, pictures, names):
    for number, name in enumerate(pictures):
        picture(tmp_path / name, number)
    xml(tmp_path / f'{label}.xml', names)
    assert len(edges_of(understood(tmp_path))) == 1


def test_names_that_yaml_takes_for_something_else(tmp_path):
    picture(tmp_path / 'a.jpg')
    (tmp_path / 'a.txt').write_text('0 ' + ' '.join(map(str, SHARES)))
    (tmp_path / 'data.yaml').write_bytes('names: [no, Käse]\n'.encode('cp1252'))
    ((name, *_),) = edges_of(understood(tmp_path))
    assert name == 'no'
    (tmp_path / 'a.txt').write_text('1 ' + ' '.join(map(str, SHARES)))
    ((name, *_),) = edges_of(understood(tmp_path))
    assert name == 'Käse'


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


def test_files_called_after_the_whole_name(tmp_path):
    picture(tmp_path / 'images/a.jpg')
    write(tmp_path, {'labels/a.jpg.txt': 'dog ' + ' '.join(map(str, SHARES))})
    ((name, *_),) = edges_of(understood(tmp_path))
    assert name == 'dog'


def test_two_data_sets_of_supervisely(tmp_path):
    content, = FILES['Supervisely'].values()
    for number in (1, 2):
        picture(tmp_path / f'ds{number}/img/a.jpg', number)
        write(tmp_path, {f'ds{number}/ann/a.jpg.json': content})
    found = understood(tmp_path)
    assert len(found.pictures) == 2 and all(each.objects for each in found.pictures)
