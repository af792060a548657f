"""Text files whose boxes are in pixels."""

import pytest
from labelled import BOX, picture
from prepare.folders import SHARES, edges_of, understood, write

X1, Y1, X2, Y2 = BOX
KITTI = '{} 0.00 0 -1.58 {} {} {} {} 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\n'


@pytest.mark.parametrize(('kind', 'text', 'name'), [
    ('kitti', KITTI.format('Car', *BOX), 'Car'),
    ('dota', f'imagesource:GoogleEarth\ngsd:0.1\n{X1} {Y1} {X2} {Y1} {X2} {Y2} '
             f'{X1} {Y2} small-vehicle 0\n', 'small-vehicle'),
    ('oidv4', f'Traffic light {X1}.0 {Y1}.0 {X2}.0 {Y2}.0\n', 'Traffic light')])
def test_formats(tmp_path, kind, text, name):
    picture(tmp_path / 'images/a.jpg')
    write(tmp_path, {'labels/a.txt': text, 'labels/b.txt': text})
    found = understood(tmp_path)
    ((label, *edges),) = edges_of(found)
    assert label == name and edges == pytest.approx(BOX)
    assert found.formats == {kind: 1}


def test_a_centre_and_a_size_are_not_taken_for_corners(tmp_path):
    for seed, (name, numbers) in enumerate([('a', '10 8 30 28'), ('b', '30 28 10 8')]):
        picture(tmp_path / f'{name}.jpg', seed)
        write(tmp_path, {f'{name}.txt': f'dog {numbers}\n'})
    picture(tmp_path / 'c.jpg', 3)
    write(tmp_path, {'c.txt': f'dog {SHARES}\n'})
    found = understood(tmp_path)
    assert found.formats == dict(yolo=3)
    assert [problem.reason for problem in found.account.left_boxes] == ['bad box'] * 2


def test_regions_that_nobody_annotated(tmp_path):
    picture(tmp_path / 'a.jpg')
    write(tmp_path, {'a.txt': KITTI.format('Car', *BOX) + KITTI.format(
        'DontCare', 1, 1, 9, 9)})
    found = understood(tmp_path)
    assert [name for name, *_ in edges_of(found)] == ['Car']
    assert [problem.reason for problem in found.account.left_boxes] == [
        'region to ignore']


def test_a_difficult_object_of_dota(tmp_path):
    picture(tmp_path / 'a.jpg')
    write(tmp_path, {'a.txt': f'{X1} {Y1} {X2} {Y1} {X2} {Y2} {X1} {Y2} ship 1\n'})
    (found,) = understood(tmp_path).pictures
    assert [item.difficult for item in found.objects] == [True]


@pytest.mark.parametrize('text', [f'dog {SHARES}\n', 'dog 1 2 3\n', 'some words\n',
                                  'dog 30 28 10 8\n'])
def test_other_texts_are_none_of_them(tmp_path, text):
    picture(tmp_path / 'a.jpg')
    picture(tmp_path / 'b.jpg', 1)
    write(tmp_path, {'a.txt': text, 'b.txt': f'dog {SHARES}\n'})
    assert not {'kitti', 'dota', 'oidv4'} & set(understood(tmp_path).formats)
