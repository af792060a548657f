"""Folders that ``frcnn prepare`` cannot make a data set of, or only a part."""

import json

from bad_input.kinds import Site, kind
from bad_input.of_coco import train
from labelled import picture, xml
from PIL import Image


def prepare(site: Site, *options: str) -> list[str]:
    return [str(site.folder / 'in'), '-o', str(site.folder / 'out'), *options]


@kind('a folder that is not there', 'prepare', 'no such folder')
def no_folder(site: Site):
    return prepare(site)


@kind('a folder without a picture', 'prepare', 'no picture in it, only .xml')
def no_picture(site: Site):
    xml(site.folder / 'in/a.xml')
    return prepare(site)


@kind('pictures without any annotation', 'prepare', 'no annotation in a format that is')
def no_annotation(site: Site):
    picture(site.folder / 'in/a.jpg')
    return prepare(site)


@kind('annotations of other pictures', 'prepare', r'no picture \(0 pictures, 1 box\)')
def other_pictures(site: Site):
    picture(site.folder / 'in/a.jpg')
    xml(site.folder / 'in/b.xml')
    return prepare(site)


@kind('a COCO file whose pictures are elsewhere', 'prepare', 'no picture.*--images DIR')
def coco_elsewhere(site: Site):
    picture(site.folder / 'in/a.jpg')
    (site.folder / 'in/b.json').write_text(json.dumps(dict(
        images=[dict(id=1, file_name='b.jpg', width=64, height=48)],
        categories=[dict(id=1, name='dog')],
        annotations=[dict(id=1, image_id=1, category_id=1, bbox=[1, 1, 9, 9])])))
    return [str(site.folder / 'in/b.json'), '-o', str(site.folder / 'out')]


@kind('Git-LFS pointers in place of pictures', 'prepare',
      r'unreadable picture \(1 picture')
def lfs_pointers(site: Site):
    picture(site.folder / 'in/a.jpg').write_text(
        'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n')
    xml(site.folder / 'in/a.xml')
    return prepare(site)


@kind('a picture that is upside down, and boxes of YOLO', 'prepare',
      r'unknown orientation \(1 picture, 1 box\)')
def upside_down(site: Site):
    exif = Image.Exif()
    exif[274] = 3
    picture(site.folder / 'in/a.jpg', exif=exif)
    (site.folder / 'in/a.txt').write_text('0 0.5 0.5 0.2 0.2\n')
    return prepare(site)


@kind('an annotation that states the size of another picture', 'prepare',
      r'size of another picture \(1 picture, 1 box\)')
def another_size(site: Site):
    picture(site.folder / 'in/a.jpg', size=(40, 30))
    xml(site.folder / 'in/a.xml')
    return prepare(site)


@kind('an annotation that may be of two pictures', 'prepare',
      r'several pictures \(0 pictures, 1 box\)')
def two_pictures(site: Site):
    picture(site.folder / 'in/one/a.jpg', 1)
    picture(site.folder / 'in/two/a.jpg', 2)
    xml(site.folder / 'in/xml/a.xml')
    return prepare(site)


@kind('a box without area among others', 'prepare', 'a.xml: object 2 .*degenerate', 0)
def one_bad_box(site: Site):
    picture(site.folder / 'in/a.jpg')
    xml(site.folder / 'in/a.xml', boxes=[('dog', 1, 1, 20, 20), ('dog', 9, 9, 9, 9)])
    return prepare(site)


@kind('an XML file that is broken among others', 'prepare', 'b.xml: not a readable', 0)
def one_broken_file(site: Site):
    picture(site.folder / 'in/a.jpg')
    xml(site.folder / 'in/a.xml')
    (site.folder / 'in/b.xml').write_text('<annotation><object>')
    return prepare(site)


@kind('an output folder that holds something else', 'prepare',
      'exists already and is not in VOC layout')
def other_output(site: Site):
    picture(site.folder / 'in/a.jpg')
    xml(site.folder / 'in/a.xml')
    (site.folder / 'out/notes').mkdir(parents=True)
    return prepare(site)


@kind('an output folder with other splits', 'prepare',
      'train.txt: exists already with other content')
def other_splits(site: Site):
    picture(site.folder / 'in/a.jpg')
    xml(site.folder / 'in/a.xml')
    (site.folder / 'out/Annotations').mkdir(parents=True)
    (site.folder / 'out/ImageSets/Main').mkdir(parents=True)
    (site.folder / 'out/ImageSets/Main/train.txt').write_text('b\n')
    return prepare(site)


@kind('shares that are none', 'prepare', 'together at most 1')
def no_shares(site: Site):
    picture(site.folder / 'in/a.jpg')
    return prepare(site, '--split', '1.5')


@kind('boxes of a picture that is stored turned, in COCO\'s format', 'train',
      'stored turned.*frcnn prepare DIR')
def turned_in_coco(site: Site):
    exif = Image.Exif()
    exif[274] = 6
    with Image.open(site.image()) as image:
        image.save(site.image(), exif=exif)
    return train(site)


def train_in(site: Site, *options: str) -> list[str]:
    """``frcnn train`` of the folder itself."""
    return [str(site.folder / 'in'), '--work-dir', str(site.work), *options]


@kind('a folder without annotations to train on', 'train',
      'no annotation in a format that is')
def train_without_annotation(site: Site):
    picture(site.folder / 'in/a.jpg')
    return train_in(site)


@kind('no minutes to train', 'train', '--minutes is 0; it must be above 0')
def no_minutes(site: Site):
    picture(site.folder / 'in/a.jpg')
    xml(site.folder / 'in/a.xml')
    return train_in(site, '--minutes', '0')


@kind('fewer minutes than a training takes', 'train',
      r'a step takes .* s here; give it \d+ or more')
def few_minutes(site: Site):
    picture(site.folder / 'in/a.jpg')
    xml(site.folder / 'in/a.xml')
    return train_in(site, '--minutes', '0.1', '--from-scratch')
