"""Who is trained on and who is tested: given splits, and new ones."""

import json
import os
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import picture, xml
from PIL import Image

from frcnn_plugin.commands.check_dataset import check_dataset
from frcnn_plugin.commands.prepare import prepare, shares_of
from frcnn_plugin.datasets import VOCFolder
from frcnn_plugin.errors import OutputExistsError
from frcnn_plugin.prepare.near_duplicates import groups_of
from frcnn_plugin.prepare.splits import canonical, share_out


def names_of(root, split):
    path = root / f'ImageSets/Main/{split}.txt'
    return sorted(path.read_text().split()) if path.exists() else []


def make(root, names):
    for name in names:
        picture(root / f'{name}.jpg', zlib.crc32(f'{root.name}/{name}'.encode()))
        xml(root / f'{name}.xml')


@pytest.mark.parametrize(('text', 'split'), [
    ('train', 'train'), ('H_train', 'train'), ('train2017', 'train'), ('valid', 'val'),
    ('Validation', 'val'), ('val-images', 'val'), ('TEST', 'test'),
    ('trainval', 'trainval'), ('default', None), ('train_test', None),
    ('training_data', 'train'), ('contest', None)])
def test_what_people_call_them(text, split):
    assert canonical(text) == split


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_each_class_is_in_train_and_in_the_others_as_far_as_it_can(data):
    number = data.draw(st.integers(10, 60))
    names = [f'p{index}' for index in range(number)]
    classes = {name: data.draw(st.lists(st.sampled_from('abcde'), max_size=4))
               for name in names}
    splits = share_out(names, classes, (0.8, 0.1, 0.1), 0)
    assert sorted(name for members in splits.values() for name in members) == sorted(
        names)
    assert all(splits.values())
    of_split = {split: {kind for name in members for kind in classes[name]}
                for split, members in splits.items()}
    for kind in {kind for found in classes.values() for kind in found}:
        members = [name for name in names if kind in classes[name]]
        if len(members) > 1:
            assert kind in of_split['train']
    assert splits == share_out(names, classes, (0.8, 0.1, 0.1), 0)


def test_a_common_class_is_shared_out_as_the_pictures_are():
    names = [f'p{index}' for index in range(1000)]
    classes = {name: ['common', *(['rare'] if index < 30 else [])]
               for index, name in enumerate(names)}
    splits = share_out(names, classes, (0.8, 0.1, 0.1), 3)
    assert [len(members) for members in splits.values()] == [800, 100, 100]
    rare = [sum('rare' in classes[name] for name in members)
            for members in splits.values()]
    assert rare == pytest.approx([24, 3, 3], abs=1)


def test_frames_of_a_video_and_augmented_copies_stay_together(tmp_path):
    rng = np.random.default_rng(0)
    for scene in range(4):
        base = rng.integers(0, 256, (12, 16, 3)).repeat(8, 0).repeat(8, 1)
        for frame in range(5):
            noisy = np.clip(base + rng.normal(0, 3, base.shape), 0, 255)
            Image.fromarray(noisy.astype(np.uint8)).save(
                tmp_path / f'video_{5 * scene + frame}.png')
    for hash_ in ('0123456789ab', 'ba9876543210'):
        picture(tmp_path / f'dog_jpg.rf.{hash_}.jpg', 1)
    picture(tmp_path / 'cat.jpg', 2)
    picture(tmp_path / 'cat_flip.jpg', 3)
    groups = groups_of(sorted(tmp_path.iterdir()))
    by_name = {path.name: number for path, number in groups.items()}
    for scene in range(4):
        assert len({by_name[f'video_{5 * scene + frame}.png']
                    for frame in range(5)}) == 1
    assert by_name['dog_jpg.rf.0123456789ab.jpg'] == by_name[
        'dog_jpg.rf.ba9876543210.jpg']
    assert by_name['cat.jpg'] == by_name['cat_flip.jpg']
    assert len(set(by_name.values())) == 6


def test_splits_by_folder_under_any_name(tmp_path):
    make(tmp_path / 'in/H_train', 'abcdefghij')
    make(tmp_path / 'in/Validation', 'kl')
    make(tmp_path / 'in/test images', 'mn')
    out = prepare([str(tmp_path / 'in'), '-o', str(tmp_path / 'out')])
    assert names_of(out, 'train') == list('abcdefghij')
    assert names_of(out, 'val') == ['k', 'l'] and names_of(out, 'test') == ['m', 'n']


@pytest.mark.parametrize('place', ['ImageSets/Main', 'ImageSets', '.'])
def test_splits_by_lists(tmp_path, place):
    root = tmp_path / 'in'
    make(root, 'abcdef')
    (root / place).mkdir(parents=True, exist_ok=True)
    (root / place / 'train.txt').write_text('a\nb\nc.jpg\ndata/obj_train_data/d.jpg\n')
    (root / place / 'valid.txt').write_text('e\nf\n')
    out = prepare([str(root), '-o', str(tmp_path / 'out')])
    assert names_of(out, 'val') == ['e', 'f']
    assert names_of(out, 'train') + names_of(out, 'test') == list('abcd') or (
        sorted(names_of(out, 'train') + names_of(out, 'test')) == list('abcd'))


def test_a_yaml_with_dead_paths(tmp_path):
    root = tmp_path / 'in'
    for part, names in (('my_fit', 'abcd'), ('my_check', 'ef')):
        for seed, name in enumerate(names):
            picture(root / f'{part}/images/{name}.jpg', seed + len(part))
            (root / f'{part}/labels').mkdir(exist_ok=True)
            (root / f'{part}/labels/{name}.txt').write_text('0 0.5 0.5 0.2 0.2\n')
    (root / 'data.yaml').write_text(
        'train: C:/me/set/my_fit/images\nval: ../my_check/images\nnames: [dog]\n')
    out = prepare([str(root), '-o', str(tmp_path / 'out')])
    assert names_of(out, 'val') == ['e', 'f']


def test_lists_of_few_pictures_are_no_splits(tmp_path):
    root = tmp_path / 'in'
    make(root, 'abcdefghij')
    (root / 'train.txt').write_text('a\n')
    (root / 'test.txt').write_text('b\n')
    out = prepare([str(root), '-o', str(tmp_path / 'out')])
    assert len(names_of(out, 'train')) == 8


def test_one_coco_file_is_shared_out(tmp_path):
    pictures = [picture(tmp_path / f'images/{name}.jpg', seed).name
                for seed, name in enumerate('abcdefghij')]
    (tmp_path / 'train.json').write_text(json.dumps(dict(
        images=[dict(id=i, file_name=name, width=64, height=48)
                for i, name in enumerate(pictures)],
        categories=[dict(id=1, name='dog')], annotations=[
            dict(id=i, image_id=i, category_id=1, bbox=[5, 5, 20, 20])
            for i in range(10)])))
    out = prepare(['--from-coco', str(tmp_path / 'train.json'), '-o',
                   str(tmp_path / 'out'), '--split', '0.8'])
    assert [len(names_of(out, split)) for split in ('train', 'val', 'test')] == [
        8, 1, 1]


def test_nested_names_in_place(tmp_path):
    """JPEGImages/train/x.jpg is called train/x in a split file."""
    for seed, name in enumerate(('train/x', 'train/y', 'test/x', 'test/z')):
        picture(tmp_path / f'JPEGImages/{name}.jpg', seed)
        xml(tmp_path / f'Annotations/{name}.xml')
    out = prepare([str(tmp_path)])
    assert out == tmp_path
    assert names_of(out, 'test') == ['test/x', 'test/z']
    assert len(VOCFolder(str(out), split='train', metainfo=dict(
        classes=('dog',)))) == len(names_of(out, 'train'))


def test_a_rare_class_is_trained_on(tmp_path):
    make(tmp_path / 'in', [f'p{index}' for index in range(12)])
    xml(tmp_path / 'in/p3.xml', boxes=[('rare', 1, 1, 20, 20)])
    out = prepare([str(tmp_path / 'in'), '-o', str(tmp_path / 'out')])
    assert 'p3' in names_of(out, 'train')
    assert check_dataset([str(out)]) == 0


def test_the_check_sees_what_training_will_see(tmp_path, capsys):
    root = tmp_path / 'voc'
    for seed, name in enumerate('abc'):
        picture(root / f'JPEGImages/{name}.jpg', seed)
        xml(root / f'Annotations/{name}.xml')
    xml(root / 'Annotations/c.xml', boxes=[('rare', 1, 1, 20, 20)])
    xml(root / 'Annotations/gone.xml', boxes=[('dog', 1, 1, 9, 9), ('dog', 2, 2, 9, 9)])
    picture(root / 'JPEGImages/more.jpg', 9)
    (root / 'ImageSets/Main').mkdir(parents=True)
    lists = root / 'ImageSets/Main'
    (lists / 'default.txt').write_text('a\nb\nc\n')
    assert check_dataset([str(root)]) == 1
    shown = ' '.join(capsys.readouterr().out.split())
    assert 'there is only default' in shown.replace('│ ', '')
    (lists / 'default.txt').rename(lists / 'train.txt')
    (lists / 'train.txt').write_text('a\nb\n')
    (lists / 'val.txt').write_text('c\n')
    file = tmp_path / 'found.json'
    assert check_dataset([str(root), '--json', str(file)]) == 1
    found = {(row['kind'], row['boxes']) for row in json.loads(
        file.read_text())['problems'] if row['costs_data']}
    assert found == {('class not in train', 1), ('no picture', 2)}
    assert 'not annotated' in capsys.readouterr().out


def test_half_of_a_devkit(tmp_path, capsys):
    make(tmp_path / 'VOCdevkit/VOC2007/JPEGImages', 'ab')
    folder = tmp_path / 'VOCdevkit/VOC2007'
    (folder / 'Annotations').mkdir()
    for path in (folder / 'JPEGImages').glob('*.xml'):
        path.rename(folder / 'Annotations' / path.name)
    (folder / 'ImageSets/Main').mkdir(parents=True)
    (folder / 'ImageSets/Main/trainval.txt').write_text('a\n')
    (folder / 'ImageSets/Main/test.txt').write_text('b\n')
    assert check_dataset([str(folder)]) == 0
    capsys.readouterr()
    assert check_dataset([str(tmp_path / 'VOCdevkit')]) == 1
    assert 'missing folder' in capsys.readouterr().out


def test_the_most_doubtful_are_drawn(tmp_path):
    root = tmp_path / 'voc'
    for seed, name in enumerate('abcdefghijklmnop'):
        picture(root / f'JPEGImages/{name}.jpg', seed)
        xml(root / f'Annotations/{name}.xml',
            size=(32, 32) if name == 'k' else (64, 48))
    (root / 'ImageSets/Main').mkdir(parents=True)
    for split in ('train', 'val'):
        (root / f'ImageSets/Main/{split}.txt').write_text('\n'.join('abcdefghijklmnop'))
    check_dataset([str(root), '--pictures', str(tmp_path / 'pictures')])
    drawn = sorted(path.name for path in (tmp_path / 'pictures').iterdir())
    assert len(drawn) == 12 and drawn[0] == '01_k.jpg'


def in_one_split(root):
    splits = [set(names_of(root, split)) for split in ('train', 'val', 'test')]
    return sum(map(len, splits)) == len(set().union(*splits))


def test_nobody_is_in_two_splits(tmp_path):
    root = tmp_path / 'in'
    make(root, 'abcdefghij')
    (root / 'train.txt').write_text('\n'.join('abcdefgh'))
    (root / 'val.txt').write_text('\n'.join('ghi'))
    out = prepare([str(root), '-o', str(tmp_path / 'out')])
    assert in_one_split(out) and names_of(out, 'val') == ['g', 'h', 'i']


def test_a_yaml_that_names_one_folder_twice(tmp_path):
    root = tmp_path / 'in'
    for seed, name in enumerate('abcdefghij'):
        picture(root / f'images/{name}.jpg', seed)
        (root / 'labels').mkdir(exist_ok=True)
        (root / f'labels/{name}.txt').write_text('0 0.5 0.5 0.2 0.2\n')
    (root / 'data.yaml').write_text('train: images\nval: images\nnames: [dog]\n')
    out = prepare([str(root), '-o', str(tmp_path / 'out')])
    assert in_one_split(out) and names_of(out, 'train')


def test_a_list_does_not_mean_a_picture_of_another_split(tmp_path):
    root = tmp_path / 'in'
    make(root / 'train', 'abcdefgh')
    make(root / 'val', 'xy')
    (root / 'val.txt').write_text('val/a.jpg\nval/x.jpg\nval/y.jpg\n')
    (root / 'train.txt').write_text(
        '\n'.join(f'train/{name}.jpg' for name in 'abcdefgh'))
    out = prepare([str(root), '-o', str(tmp_path / 'out')])
    assert names_of(out, 'val') == ['x', 'y']


def test_in_place_only_where_nothing_has_to_change(tmp_path):
    root = tmp_path / 'voc'
    for seed, name in enumerate('abcdefghijkl'):
        picture(root / f'JPEGImages/{name}.jpg', seed)
        xml(root / f'Annotations/{name}.xml')
    lists = root / 'ImageSets/Main'
    lists.mkdir(parents=True)
    (lists / 'train.txt').write_text('\n'.join('abcdefghij'))
    (lists / 'test.txt').write_text('k\nl\n')
    with pytest.raises(OutputExistsError, match='other names than the splits need'):
        prepare([str(root)])
    assert not (lists / 'val.txt').exists()
    out = prepare([str(root), '-o', str(tmp_path / 'out')])
    assert in_one_split(out) and names_of(out, 'test') == ['k', 'l']


def test_splits_made_of_train_keep_near_duplicates_together(tmp_path):
    root = tmp_path / 'in'
    for number in range(20):
        for hash_ in ('0123456789ab', 'ba9876543210'):
            name = f'v{number}_jpg.rf.{hash_}'
            picture(root / f'train/{name}.jpg', zlib.crc32(name.encode()))
            xml(root / f'train/{name}.xml')
    make(root / 'test', 'xy')
    out = prepare([str(root), '-o', str(tmp_path / 'out')])
    parts = [{name.partition('_')[0] for name in names_of(out, split)}
             for split in ('train', 'val')]
    assert parts[1] and not parts[0] & parts[1]


def test_one_long_video_is_cut_into_stretches(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    for frame in range(60):
        Image.fromarray(pixels).save(tmp_path / f'video_{frame}.png')
    groups = groups_of(list(tmp_path.iterdir()))
    assert [groups[tmp_path / f'video_{frame}.png'] for frame in range(60)] == [
        frame // 3 for frame in range(60)]


def test_two_shares_that_are_everything():
    assert shares_of([0.7, 0.3]) == (0.7, 0.3, 0)
    assert shares_of([0.85, 0.15]) == (0.85, 0.15, 0)


def test_pictures_that_are_too_large_for_pillows_limit(tmp_path, monkeypatch):
    """Training reads them, so preparing and checking do."""
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 64 * 48 // 3)
    for number in range(3):
        picture(tmp_path / f'in/{number}.jpg', number)
        xml(tmp_path / f'in/{number}.xml')
    out = prepare([str(tmp_path / 'in'), '-o', str(tmp_path / 'out')])
    assert len(list((out / 'JPEGImages').rglob('*.jpg'))) == 3
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 64 * 48 // 3)
    assert check_dataset([str(out)]) == 0


def test_into_a_folder_of_another_file_system(tmp_path):
    """As one that is mounted: nothing can be moved into it from outside."""
    if not os.access('/dev/shm', os.W_OK) or (
            os.stat('/dev/shm').st_dev == tmp_path.stat().st_dev):
        pytest.skip('there is no second file system')
    for number in range(3):
        picture(tmp_path / f'in/{number}.jpg', number)
        xml(tmp_path / f'in/{number}.xml')
    with TemporaryDirectory(dir='/dev/shm') as other:
        (tmp_path / 'out').symlink_to(other)
        out = prepare([str(tmp_path / 'in'), '-o', str(tmp_path / 'out'), '--copy'])
        assert len(list((out / 'JPEGImages').rglob('*.jpg'))) == 3
        assert not list(Path(other).glob('.*'))
