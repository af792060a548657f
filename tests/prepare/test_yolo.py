"""Text files of YOLO and Darknet, and the lists of classes beside them."""

import unicodedata

import pytest
from labelled import picture, xml
from prepare.folders import SHARES, edges_of, left, understood, write


def test_a_class_as_a_word_in_yolo(tmp_path):
    picture(tmp_path / 'a.jpg')
    (tmp_path / 'a.txt').write_text(f'dog {SHARES}')
    assert edges_of(understood(tmp_path))[0][0] == 'dog'


def test_key_points_of_yolo_are_no_polygon(tmp_path):
    picture(tmp_path / 'a.jpg', size=(100, 80))
    (tmp_path / 'a.txt').write_text('0 .5 .5 .2 .2 .1 .9 .8 .05\n')
    (tmp_path / 'data.yaml').write_text('names: [dog]\nkpt_shape: [2, 2]\n')
    ((_, *edges),) = edges_of(understood(tmp_path))
    assert edges == pytest.approx((40, 32, 60, 48))


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


def test_lists_of_classes_that_do_not_agree(tmp_path):
    for seed, (part, names, kind) in enumerate((
            ('a', None, 0), ('b', 'dog\ncat\n', 1), ('c', 'Coin\n', 2),
            ('d', 'coin\nnote\n\nbill\n', 3))):
        picture(tmp_path / f'{part}/{part}.jpg', seed)
        (tmp_path / f'{part}/{part}.txt').write_text(f'{kind} {SHARES}')
        if names:
            (tmp_path / f'{part}/classes.txt').write_text(names)
    found = understood(tmp_path, kind='yolo')
    assert edges_of(found, 'b')[0][0] == 'cat'
    assert edges_of(found, 'd')[0][0] == 'bill'  # an empty line counts
    assert left(found) == {'classes without names': (0, 1), 'unknown class': (0, 1),
                           'no annotation': (1, 0)}


def test_numbers_are_no_classes_beside_names(tmp_path):
    picture(tmp_path / 'a.jpg')
    xml(tmp_path / 'a.xml')
    picture(tmp_path / 'b.jpg', 1)
    (tmp_path / 'b.txt').write_text(f'7 {SHARES}')
    assert left(understood(tmp_path)) == {
        'classes without names': (0, 1), 'no annotation': (1, 0)}


def test_several_yaml_files_in_one_folder(tmp_path):
    picture(tmp_path / 'data/images/train/a.jpg')
    write(tmp_path, {
        'data/labels/train/a.txt': f'1 {SHARES}',
        'data/coco.yaml': 'path: ../x\ntrain: images/train2017\nnames: [cat, car]\n',
        'data/a.yaml': f'train: {{lr: {"1" * 300}}}\nnames: [x, y]\n',
        'data/mine.yaml': 'train: data/images/train\nnames: [cat, dog]\n'})
    ((name, *_),) = edges_of(understood(tmp_path))
    assert name == 'dog'


def test_names_that_yaml_takes_for_something_else(tmp_path):
    picture(tmp_path / 'a.jpg')
    (tmp_path / 'a.txt').write_text(f'0 {SHARES}')
    (tmp_path / 'data.yaml').write_bytes('names: [no, Käse]\n'.encode('cp1252'))
    ((name, *_),) = edges_of(understood(tmp_path))
    assert name == 'no'
    (tmp_path / 'a.txt').write_text(f'1 {SHARES}')
    ((name, *_),) = edges_of(understood(tmp_path))
    assert name == 'Käse'


def test_text_files_of_names_with_accents_apart(tmp_path):
    stem = unicodedata.normalize('NFD', 'bär')
    picture(tmp_path / f'{stem}.jpg')
    (tmp_path / f'{stem}.txt').write_text(f'dog {SHARES}')
    ((name, *_),) = edges_of(understood(tmp_path), stem)
    assert name == 'dog'


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    picture(tmp_path / 'a.jpg')
    (tmp_path / 'a.txt').write_text(f'\n\ndog {SHARES}\n0 1 2 3\n')
    (problem,) = understood(tmp_path).account.left_boxes
    assert 'line 4' in problem.detail
