"""Fonts for the names of classes, which may be in any script."""

import logging
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font
from mmengine.logging import print_log

PACKAGE = 'mplfonts'  # of the package index; it holds fonts with Chinese characters
SQUARES = 'Last Resort'  # draws a square for every character there is
PLAIN = 'DejaVu Sans'  # matplotlib's own: Latin, Greek, Cyrillic, Arabic, Hebrew


def use_font_for(names: Iterable[str]) -> None:
    """Draw texts in a font that has all of their characters, if one is installed.

    It stays matplotlib's own where that one has them. Where no font has, a warning
    says what to install; the characters are then drawn as squares.
    """
    wanted = {ord(letter) for name in names for letter in name if letter.isprintable()}
    if not wanted - characters_of(font_manager.findfont(PLAIN)):
        return
    if find_spec(PACKAGE):
        folder = Path(find_spec(PACKAGE).origin).parent
        for file in font_manager.findSystemFonts([str(folder)]):
            font_manager.fontManager.addfont(file)
    best, lacking = PLAIN, wanted
    for entry in font_manager.fontManager.ttflist:
        if entry.name.startswith(SQUARES):
            continue
        missing = wanted - characters_of(entry.fname)
        if len(missing) < len(lacking):
            best, lacking = entry.name, missing
        if not missing:
            break
    mpl.rcParams['font.sans-serif'] = [best, PLAIN]
    if lacking:
        letters = ''.join(map(chr, sorted(lacking)[:10]))
        print_log(f'no font that is installed has the characters {letters}: they are '
                  f'drawn as squares; pip install {PACKAGE}, or a font of the system '
                  'such as fonts-noto-cjk, brings them', logger='current',
                  level=logging.WARNING)


def characters_of(file: str) -> set[int]:
    """The characters that a font file has; none if it cannot be read."""
    try:
        return set(FT2Font(file).get_charmap())
    except (RuntimeError, OSError):
        return set()
