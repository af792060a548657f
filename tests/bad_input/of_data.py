"""Data sets in VOC layout that are not as they should be."""

import shutil

import numpy as np
from bad_input.kinds import Site, kind
from helpers import write_xml
from PIL import Image

BOMB = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;">]>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'


@kind('a data root that is not there', 'train',
      'no such folder.*--data-root DIR')
def no_root(site: Site):
    shutil.rmtree(site.root)
    return site.train()


@kind('a data root of another layout', 'train',
      'no Annotations/ in it.*--data-root DIR')
def no_annotations(site: Site):
    (site.root / 'Annotations').rename(site.root / 'labels')
    return site.train()


@kind('a split that is not there', 'train',
      'missing; there are test, train, val. Choose one with --split NAME')
def no_split(site: Site):
    return site.train('train_dataloader.dataset.split=trainval')


@kind('an empty split file', 'train', 'the split file is empty')
def empty_split(site: Site):
    site.split('train', '\n')
    return site.train()


@kind('a split file that is not text', 'train', 'not a text file in UTF-8')
def binary_split(site: Site):
    site.split('train', b'\xff\xfe\x00a')
    return site.train()


@kind('a name in a split file that leads out of the data root', 'train',
      'leads out of it')
def split_leads_out(site: Site):
    site.split('train', 'a\n../../secret')
    return site.train()


@kind('an image that is missing', 'train', 'the image is missing')
def no_image(site: Site):
    site.image().unlink()
    return site.train()


@kind('an image that is text', 'train', 'not a readable image')
def text_for_an_image(site: Site):
    site.image().write_text('no image')
    return site.train()


@kind('an image that breaks while it is trained on', 'train', 'skipped .*b.png', 0)
def breaks_later(site: Site):
    break_pixels(site)
    return site.train(iters=3)


@kind('more such images than `train_cfg.max_broken`', 'train',
      r'more than train_cfg.max_broken=0')
def too_many_break(site: Site):
    break_pixels(site)
    return site.train('train_cfg.max_broken=0', iters=3)


def break_pixels(site: Site) -> None:
    """A PNG whose head is whole, and nothing else."""
    path = site.image().with_suffix('.png')
    Image.open(site.image()).save(path)
    site.image().unlink()
    path.write_bytes(path.read_bytes()[:60])


@kind('an annotation that is missing', 'train', 'the annotation file is missing')
def no_xml(site: Site):
    site.xml().unlink()
    return site.train()


@kind('an annotation that ends in the middle', 'train', 'not a readable XML file')
def half_xml(site: Site):
    site.xml().write_text(site.xml().read_text()[:90])
    return site.train()


@kind('an annotation that is something else', 'train', 'this is not an annotation')
def other_xml(site: Site):
    site.xml().write_text('<html><body/></html>')
    return site.train()


@kind('an annotation with entities that multiply (a bomb)', 'train',
      'declares a document type or entities')
def bomb(site: Site):
    site.xml().write_text(BOMB + site.xml().read_text())
    return site.train()


@kind('an annotation with an entity that reads another file', 'train',
      'declares a document type or entities')
def other_file(site: Site):
    site.xml().write_text(OUTSIDE + site.xml().read_text())
    return site.train()


for given, box, says in (
        ('a box whose corner is not a number', ('dog', 'left', 1, 9, 9), 'a number'),
        ('a box with NaN', ('dog', 'nan', 1, 9, 9), "xmin is 'nan'"),
        ('a box at 1e30', ('dog', 1, 1, '1e30', 9), "xmax is '1e30'"),
        ('a box without area', ('dog', 9, 9, 9, 30), 'degenerate box'),
        ('a box outside its image', ('dog', 500, 500, 600, 600), 'lies outside'),
        ('a box without a class', ('', 1, 1, 9, 9), 'no class name')):
    @kind(given, 'train', f'skipped .*{says}', 0)
    def bad_box(site: Site, box=box):
        site.annotate('b', box)
        return site.train()


@kind('an annotation that says another size than the image has', 'train',
      'says 50x50, the image is 100x80', 0)
def other_size(site: Site):
    site.annotate('b', size=(50, 50))
    return site.train()


@kind('a class that is misspelt in `--classes`', 'train', 'did you mean dog')
def misspelt(site: Site):
    arguments = site.train()
    arguments[arguments.index('dog')] = 'dogg'
    return arguments


@kind('classes that no annotation has', 'train', 'Name yours with')
def other_classes(site: Site):
    arguments = site.train()
    index = arguments.index('dog')
    arguments[index:index + 2] = ['cow', 'hen']
    return arguments


@kind('boxes of a class that is not asked for', 'train', 'are left out: bird', 0)
def more_classes(site: Site):
    site.annotate('b', ('bird', 1, 1, 9, 9))
    return site.train()


@kind('images without any box', 'train', 'there are no boxes at all')
def no_boxes(site: Site):
    for name in 'abcd':
        write_xml(site.root, name, [])
    return site.train()


@kind('an image without a box', 'train', '1 images without a box', 0)
def one_without(site: Site):
    write_xml(site.root, 'b', [])
    return site.train()


@kind('an image of 1x1 and one of 10000x50', 'train', 'Saving checkpoint at 2', 0)
def odd_sizes(site: Site):
    for name, size in (('a', (1, 1)), ('b', (10000, 50))):
        Image.new('RGB', size).save(site.image(name))
        write_xml(site.root, name, [('dog', 1, 1, *size)] if name == 'b' else [], size)
    return site.train('train_dataloader.dataset.filter_cfg.filter_empty_gt=False',
                      iters=2)


@kind('images that are grey, 16-bit, CMYK and with alpha', 'train',
      'Saving checkpoint at 4', 0)
def modes(site: Site):
    picture = Image.open(site.image('a')).copy()
    picture.convert('L').save(site.image('a'))
    picture.convert('CMYK').save(site.image('b'))
    grey16 = Image.fromarray(np.asarray(picture.convert('L'), dtype=np.uint16) * 257)
    for name, image in (('c', picture.convert('RGBA')), ('d', grey16)):
        site.image(name).unlink()
        image.save(site.image(name).with_suffix('.png'))
    return site.train(iters=4)


@kind('an image whose end is missing', 'check-dataset', 'truncated image')
def truncated(site: Site):
    site.image().write_bytes(site.image().read_bytes()[:900])
    return [str(site.root)]


@kind('a class that one annotation misspells', 'check-dataset', 'unknown class')
def misspelt_in_a_file(site: Site):
    site.annotate('b', ('dgo', 1, 1, 9, 9))
    return [str(site.root), '--classes', 'dog', 'cat']


@kind('a box that occurs twice', 'check-dataset', 'duplicate box', 0)
def duplicate(site: Site):
    site.annotate('b', ('dog', 10, 10, 60, 60))
    return [str(site.root), '--split', 'train']


@kind('a picture that is turned by its EXIF tag', 'check-dataset', 'EXIF rotation',
      0)
def turned(site: Site):
    exif = Image.Exif()
    exif[274] = 6
    Image.open(site.image()).save(site.image(), exif=exif)
    write_xml(site.root, 'b', [('dog', 10, 10, 60, 60)], (80, 100))
    return [str(site.root), '--split', 'train']


@kind('a size and boxes that contradict each other on a turned picture',
      'check-dataset', 'cannot tell whether the boxes')
def turned_and_contradicting(site: Site):
    turned(site)
    write_xml(site.root, 'b', [('cat', 40, 20, 95, 70)], (80, 100))
    return [str(site.root), '--split', 'train']


@kind('a cleaned copy into a folder that exists', 'check-dataset',
      'exists already')
def fix_into_a_folder(site: Site):
    return [str(site.root), '--fix', str(site.root / 'Annotations')]


@kind('an image that is text', 'make-proposals', 'not a readable image')
def no_proposals(site: Site):
    site.image().write_text('no image')
    return ['--data-root', str(site.root), '--split', 'train', '--workers', '1',
            '--out', str(site.folder / 'p.npz')]
