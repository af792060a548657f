"""A folder of any layout is understood, and nothing is lost without a word."""

import csv
import json

import pytest
from labelled import BOX, picture, xml
from prepare.folders import COCO, SHARES, edges_of, left, understood

from frcnn_plugin.commands.arguments.data import FORMATS as FORMATS_OF_THE_COMMAND
from frcnn_plugin.commands.prepare import prepare
from frcnn_plugin.datasets import VOCFolder
from frcnn_plugin.datasets.voc_annotation import read_voc_annotation
from frcnn_plugin.errors import DataError, OutputExistsError
from frcnn_plugin.prepare.formats import FORMATS
from frcnn_plugin.prepare.understand import understand


def test_the_command_knows_all_formats():
    """The parser has a list of its own, which takes no time to import."""
    assert tuple(FORMATS_OF_THE_COMMAND) == FORMATS


def test_copies_count_once(tmp_path):
    for name in ('a', 'x/a', 'copy of a'):
        picture(tmp_path / f'{name}.jpg')
        xml(tmp_path / f'{name}.xml', 'a.jpg')
    found = understood(tmp_path)
    assert len(found.pictures) == 1
    assert left(found) == {'the same picture again': (2, 2)}


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
    (tmp_path / 'one/a.txt').write_text(f'0 {SHARES}')
    (tmp_path / 'one/classes.txt').write_text('of yolo\n')
    picture(tmp_path / 'two/b.jpg', 1)
    xml(tmp_path / 'two/b.xml')
    assert edges_of(understood(tmp_path))[0][0] == 'of xml'
    assert edges_of(understood(tmp_path, kind='yolo'))[0][0] == 'of yolo'
    assert len(understood(tmp_path, only=['two']).pictures) == 1


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
    (tmp_path / 'd/images/a.txt').write_text(f'1 {SHARES}')
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


def test_an_empty_file_does_not_beat_one_with_boxes(tmp_path):
    picture(tmp_path / 'a.jpg')
    xml(tmp_path / 'a.xml', boxes=[])
    (tmp_path / 'a.txt').write_text(f'0 {SHARES}')
    (tmp_path / 'classes.txt').write_text('dog\n')
    found = understood(tmp_path)
    assert edges_of(found)
    assert left(found) == {'the same picture also as yolo': (0, 0)}


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
