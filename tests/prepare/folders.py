"""A folder of pictures and annotations, as it was understood."""

import json

from labelled import BOX, SIZE

from frcnn_plugin.prepare.understand import understand

X1, Y1, X2, Y2 = BOX
W, H = SIZE
SHARES = ' '.join(map(str, (
    (X1 + X2) / 2 / W, (Y1 + Y2) / 2 / H, (X2 - X1) / W, (Y2 - Y1) / H)))
POINTS = [[X1, Y1], [X2, Y1], [X2, Y2], [X1, Y2]]
COCO = dict(
    images=[dict(id=1, file_name='a.jpg', width=W, height=H)],
    categories=[dict(id=3, name='dog')], annotations=[
        dict(id=1, image_id=1, category_id=3, bbox=[X1, Y1, X2 - X1, Y2 - Y1])])


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
