import pytest

from frcnn_plugin.datasets.voc_annotation import read_voc_annotation
from frcnn_plugin.errors import UserError

OBJECT = ('<object><name>{name}</name><difficult>{difficult}</difficult><bndbox>'
          '<xmin>{0}</xmin><ymin>{1}</ymin><xmax>{2}</xmax><ymax>{3}</ymax></bndbox>'
          '</object>')


@pytest.fixture
def read(tmp_path):
    """Read an annotation of a 100x50 image that is made of objects."""

    def read_objects(*objects: str):
        path = tmp_path / 'a.xml'
        path.write_text('<annotation><size><width>100</width><height>50</height></size>'
                        f'{"".join(objects)}</annotation>')
        return read_voc_annotation(path)

    return read_objects


def box(*corners, name='dog', difficult=0) -> str:
    return OBJECT.format(*corners, name=name, difficult=difficult)


def test_pixels_are_counted_from_zero(read):
    found = read(box(1, 1, 48, 24, difficult=1), box('8.5', 2, 10, 20, name=' cat '))
    assert (found.width, found.height) == (100, 50)
    assert found.objects[0].bbox == (0, 0, 47, 23) and found.objects[0].difficult
    assert found.objects[1].bbox == (7.5, 1, 9, 19) and found.objects[1].name == 'cat'


@pytest.mark.parametrize('bad, says', [
    (box(5, 5, 5, 9), 'degenerate'), (box(9, 5, 3, 9), 'degenerate'),
    (box(200, 5, 300, 9), 'outside the image of 100x50'),
    (box('x', 5, 6, 9), "xmin is 'x', not a number"), (box('nan', 5, 6, 9), 'xmin'),
    ('<object><name>dog</name></object>', 'no xmin'),
    (box(1, 2, 3, 4, name=''), 'name')])
def test_a_bad_box_is_named_with_its_file_and_costs_nothing_else(read, bad, says):
    found = read(bad, box(1, 1, 10, 10))
    assert len(found.objects) == 1 and len(found.skipped) == 1
    said = str(found.skipped[0])
    assert says in said and 'a.xml: object 1' in said


def test_a_box_over_the_border_is_cut(read):
    found = read(box(-5, 0, 500, 20), box(0, 0, 100, 50))
    assert found.objects[0].bbox == (0, 0, 100, 19)
    assert [note.kind for note in found.notes] == ['over the border']  # 0 is common


@pytest.mark.parametrize('content, says', [
    (None, 'missing'), ('<annotation>', 'not a readable XML'), ('', 'not a readable'),
    ('<html></html>', 'not an annotation in VOC format'),
    ('<?xml version="1.0" encoding="no-such"?><annotation/>', 'not a readable XML'),
    ('<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><annotation>&d;</annotation>',
     'declares a document type or entities'),
    ('<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><annotation>&f;'
     '</annotation>', 'declares a document type')])
def test_a_bad_file_is_refused(tmp_path, content, says):
    path = tmp_path / 'b.xml'
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=rf'b\.xml.*{says}'):
        read_voc_annotation(path)
