"""Text files whose boxes are in pixels."""

import pytest
from labelled import BOX, picture
from prepare.folders import SHARES, edges_of, left, understood, write

X1, Y1, X2, Y2 = BOX
KITTI = '{} 0.00 0 -1.58 {} {} {} {} 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\n'


@pytest.mark.parametrize(('folder', 'kind', 'text', 'name'), [
    ('label_2', 'kitti', KITTI.format('Car', *BOX), 'Car'),
    ('labelTxt', 'dota', f'imagesource:GoogleEarth\ngsd:0.1\n{X1} {Y1} {X2} {Y1} '
                         f'{X2} {Y2} {X1} {Y2} small-vehicle 0\n', 'small-vehicle'),
    ('Label', 'oidv4', f'Traffic light {X1}.0 {Y1}.0 {X2}.0 {Y2}.0\n',
     'Traffic light')])
def test_formats(tmp_path, folder, kind, text, name):
    picture(tmp_path / 'images/a.jpg')
    write(tmp_path, {f'{folder}/a.txt': text})
    found = understood(tmp_path)
    ((label, *edges),) = edges_of(found)
    assert label == name and edges == pytest.approx(BOX)
    assert found.formats == {kind: 1}
    assert understood(tmp_path, kind=kind).formats == {kind: 1}


@pytest.mark.parametrize(('folder', 'text'), [
    ('label_2', KITTI.format('Car', *BOX).replace('\n', ' 0.9\n')),
    ('Label', 'dog 0.9 {} {} {} {}\n'.format(*BOX)),
    ('labels', 'dog {} {} {} {}\n'.format(*BOX))])  # or a centre and a size
def test_what_a_detector_wrote_is_no_annotation(tmp_path, folder, text):
    picture(tmp_path / 'a.jpg')
    picture(tmp_path / 'b.jpg', 1)
    write(tmp_path, {f'{folder}/a.txt': text, 'b.txt': f'dog {SHARES}\n'})
    assert not {'kitti', 'dota', 'oidv4'} & set(understood(tmp_path).formats)


def test_a_picture_of_dota_without_objects(tmp_path):
    picture(tmp_path / 'a.jpg')
    picture(tmp_path / 'b.jpg', 1)
    write(tmp_path, {'a.txt': 'imagesource:GoogleEarth\ngsd:0.1\n',
                     'b.txt': f'{X1} {Y1} {X2} {Y1} {X2} {Y2} {X1} {Y2} ship\n'})
    assert [len(each.objects) for each in understood(tmp_path).pictures] == [0, 1]


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
                                  'dog 10 8 30 28\ndog 30 28 10 8\n'])
def test_other_texts_are_none_of_them(tmp_path, text):
    picture(tmp_path / 'a.jpg')
    picture(tmp_path / 'b.jpg', 1)
    write(tmp_path, {'Label/a.txt': text, 'b.txt': f'dog {SHARES}\n'})
    assert not {'kitti', 'dota', 'oidv4'} & set(understood(tmp_path).formats)


def test_a_folder_for_each_class(tmp_path):
    """OIDv4_ToolKit downloads a picture with cars and dogs once for each."""
    other = [value + 1 for value in BOX]
    for name, box in ('Car', BOX), ('Dog', other), ('Hot dog', BOX):
        picture(tmp_path / f'train/{name}/a.jpg')
        write(tmp_path, {f'train/{name}/Label/a.txt': '{} {} {} {} {}\n'.format(
            name, *box)})
    found = understood(tmp_path)
    assert [name for name, *_ in edges_of(found)] == ['Car', 'Dog']
    assert left(found) == {'the same picture again': (2, 1)}  # one box has two names
    # copies in one folder are no folders of classes: one of them counts
    for name, box, kind in ('a', BOX, 'Car'), ('b', other, 'Dog'):
        picture(tmp_path / f'one/{name}.jpg')
        write(tmp_path / 'one', {f'Label/{name}.txt': '{} {} {} {} {}\n'.format(
            kind, *box)})
    found = understood(tmp_path / 'one')
    assert len(edges_of(found)) == 1
    assert left(found) == {'the same picture again': (1, 1)}
