"""Which picture an annotation belongs to."""

import json
import unicodedata
from collections import Counter

import pytest
from labelled import BOX, picture, xml
from prepare.folders import SHARES, coco_of, edges_of, left, understood, write

from frcnn_plugin.prepare.files import find_files
from frcnn_plugin.prepare.link import Linker


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


def test_a_size_of_another_picture(tmp_path):
    picture(tmp_path / 'resized.jpg', 0, (32, 24))
    xml(tmp_path / 'resized.xml', boxes=[('dog', 20, 16, 60, 40)])  # of the large one
    picture(tmp_path / 'doubtful.jpg', 1, (32, 24))
    xml(tmp_path / 'doubtful.xml', boxes=[('dog', 2, 2, 20, 20)])  # would fit both
    found = understood(tmp_path)
    assert edges_of(found, 'resized') == [('dog', 10, 8, 30, 20)]
    assert left(found) == {'size of another picture': (1, 1)}
    assert len(understood(tmp_path, frame='upright').pictures) == 2


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


def test_the_stated_size_before_the_name_of_a_split(tmp_path):
    picture(tmp_path / 'train/test_001.jpg')
    picture(tmp_path / 'test/test_001.jpg', 1, (32, 20))
    xml(tmp_path / 'anns/test_001.xml')
    (found,) = (each for each in understood(tmp_path).pictures if each.objects)
    assert found.image.parent.name == 'train'


def test_names_that_differ_in_case_only(tmp_path):
    for seed, name in enumerate(('A', 'a')):
        picture(tmp_path / f'{name}.jpg', seed)
        xml(tmp_path / f'{name}.xml', f'{name}.jpg')
    names = [each.name.lower() for each in understood(tmp_path).pictures]
    assert len(set(names)) == 2


def test_letters_and_accents_apart(tmp_path):
    """As macOS has them in names of files."""
    name = 'Äpfel_ü'
    picture(tmp_path / 'images' / unicodedata.normalize('NFD', f'{name}.jpg'))
    (tmp_path / 'a.json').write_text(json.dumps(coco_of(
        unicodedata.normalize('NFC', f'{name}.jpg'))))
    (found,) = understood(tmp_path).pictures
    assert found.objects


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
    (tmp_path / '20230115-001.txt').write_text(f'dog {SHARES}')
    assert [each.image.stem for each in understood(tmp_path).pictures] == ['002']


def test_files_called_after_the_whole_name(tmp_path):
    picture(tmp_path / 'images/a.jpg')
    write(tmp_path, {'labels/a.jpg.txt': f'dog {SHARES}'})
    ((name, *_),) = edges_of(understood(tmp_path))
    assert name == 'dog'


def test_a_link_that_leads_back_and_linked_folders(tmp_path):
    picture(tmp_path / 'real/a.jpg')
    xml(tmp_path / 'real/a.xml')
    (tmp_path / 'set').mkdir()
    (tmp_path / 'set/pictures').symlink_to(tmp_path / 'real')
    (tmp_path / 'real/back').symlink_to(tmp_path / 'set')
    assert len(understood(tmp_path / 'set').pictures) == 1
    assert len(find_files(tmp_path / 'set').pictures) == 1


@pytest.mark.parametrize('root', ['data', 'work/../data'])
def test_many_folders_with_the_same_names(tmp_path, monkeypatch, root):
    """A folder for each picture: each label looks at its own folder only."""
    (tmp_path / 'work').mkdir()
    for number in range(60):
        picture(tmp_path / f'data/s{number}/image.jpg', number, (8, 8))
        xml(tmp_path / f'data/s{number}/image.xml', 'image.jpg',
            [('dog', 1, 1, 6, 6)], (8, 8))
    looked = Counter()
    elsewhere = Linker._elsewhere

    def count(self, label, path):
        looked[label.source] += 1
        return elsewhere(self, label, path)

    monkeypatch.setattr(Linker, '_elsewhere', count)
    found = understood(tmp_path / root)
    assert all(each.image.parent == each.source.parent for each in found.pictures)
    assert len(found.pictures) == 60
    assert set(looked.values()) == {2}  # by the file's own name, and by the stated one


def test_the_folder_of_darknet_names_no_split(tmp_path):
    """``obj_train_data`` holds the texts of the test pictures, too."""
    for number, split in enumerate(('train', 'test')):
        picture(tmp_path / f'{split}/images/a.jpg', number)
        write(tmp_path, {f'{split}/obj_train_data/a.txt': '0 0.5 0.5 0.2 0.2\n'})
    write(tmp_path, {'classes.txt': 'dog\n'})
    assert {each.image.parent.parent.name == each.source.parent.parent.name
            for each in understood(tmp_path).pictures} == {True}
    assert len(understood(tmp_path).pictures) == 2


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
            path.write_text(f'dog {SHARES}\n' * boxes)
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
