"""Does the reader of annotations survive whatever it is given?

    python tools/fuzz_annotations.py [--number 100000] [--seed 0]

Damages bytes, tags and numbers of valid annotations at random and reads the result.
Each must be read, with its boxes inside the image, or refused with a UserError. Ends
with status 1 otherwise, and leaves the file.
"""

import argparse
import math
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.progress import track

from frcnn_plugin.datasets.voc_annotation import read_voc_annotation
from frcnn_plugin.errors import UserError

BOX = ('<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>{}</xmin>'
       '<ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>')
NUMBERS = ['nan', 'inf', '-inf', '1e308', '1e999', '-1', '0', '', ' ', '1_000', '0x10',
           '\u0663', '\uff11\uff12', '1,5', 'NaN', '99999999999999999999', '-0.0',
           '5e-324', '\t7\n']
SNIPPETS = [b'<', b'>', b'&', b'&amp;', b'&#0;', b'&#x110000;', b'&e;', b']]>', b'<!--',
            b'-->', b'<![CDATA[', b'<?xml version="1.0" encoding="utf-16"?>',
            b'<?xml version="1.0" encoding="no-such"?>', b'<!DOCTYPE a>', b'\x00',
            b'\xff\xfe', b'\xef\xbb\xbf', b'<object>', b'</object>', b'<bndbox/>',
            b'<size><width>-5</width></size>', b'xmlns="a"', b'<name/>', b'\xc3\x28']


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--number', type=int, default=100_000, metavar='N',
                        help='inputs to try (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='default: %(default)s')
    args = parser.parse_args()
    chance, seen = random.Random(args.seed), Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'a.xml'
        for _ in track(range(args.number), 'reading', console=Console(stderr=True)):
            content = damage(valid(chance), chance)
            path.write_bytes(content)
            try:
                seen[read(path, chance)] += 1
            except Exception:
                kept = Path('fuzz_failure.xml')
                kept.write_bytes(content)
                print(f'error: {kept} was neither read nor refused', file=sys.stderr)
                raise
    print(f'{args.number} inputs: ' + ', '.join(
        f'{count} {name}' for name, count in seen.most_common()))
    return 0


def read(path: Path, chance: random.Random) -> str:
    """What became of one file."""
    size = chance.choice([None, (100, 80)])
    try:
        found = read_voc_annotation(path, size)
    except UserError as error:
        if '\n' in str(error) or str(path) not in str(error):
            raise AssertionError(f'no line with the file: {error!r}') from error
        return 'refused'
    for item in found.objects:
        x1, y1, x2, y2 = item.bbox
        assert all(math.isfinite(value) for value in item.bbox) and item.name
        assert x1 < x2 and y1 < y2
        if found.width and found.height:
            assert min(x1, y1) >= 0 and x2 <= found.width and y2 <= found.height
    return 'read in part' if found.skipped else 'read'


def valid(chance: random.Random) -> bytes:
    """An annotation of a few boxes, some of whose numbers are odd."""
    boxes = []
    for _ in range(chance.randint(0, 4)):
        x, y = chance.randint(1, 60), chance.randint(1, 50)
        numbers = [x, y, x + chance.randint(1, 40), y + chance.randint(1, 30)]
        if chance.random() < 0.2:
            numbers[chance.randrange(4)] = chance.choice(NUMBERS)
        boxes.append(BOX.format(chance.choice(['dog', 'cat', '', '猫']),
                                chance.choice([0, 1, 'x']), *numbers))
    return ('<annotation><size><width>100</width><height>80</height></size>'
            f'{"".join(boxes)}</annotation>').encode()


def damage(content: bytes, chance: random.Random) -> bytes:
    """The same after up to four accidents."""
    for _ in range(chance.randint(0, 4)):
        place = chance.randint(0, len(content))
        end = min(len(content), place + chance.randint(0, 12))
        before, cut, after = content[:place], content[place:end], content[end:]
        content = chance.choice([
            before + bytes([chance.randrange(256)]) + after, before + after,
            before + cut * 2 + after, before,
            before + chance.choice(SNIPPETS) + cut + after,
            content.replace(b'bndbox', chance.choice([b'box', b'bndbox ', b'']))])
    return content


if __name__ == '__main__':
    sys.exit(main())
