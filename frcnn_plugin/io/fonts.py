"""Fonts for the names of classes, which may be in any script."""

import logging
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

PACKAGE = 'mplfonts'  # of the package index; it holds fonts with Chinese characters
SQUARES = 'Last Resort'  # draws a square for every character there is
PLAIN = 'DejaVu Sans'  # matplotlib's own: Latin, Greek, Cyrillic, Arabic, Hebrew

log = logging.getLogger(__name__)


def use_font_for(names: Iterable[str]) -> None:
    """Have matplotlib draw texts in a font that has all of their characters."""
    font = font_for(names)
    if font.name != PLAIN:
        mpl.rcParams['font.sans-serif'] = [font.name, PLAIN]


def font_for(names: Iterable[str]) -> font_manager.FontEntry:
    """A font that has all characters of some names, if one is installed.

    It is matplotlib's own where that one has them. Where no font has, it is the one
    that lacks fewest, and a warning says what to install; what it lacks is drawn as
    squares.
    """
    wanted = {ord(letter) for name in names for letter in name if letter.isprintable()}
    plain = font_manager.FontEntry(fname=font_manager.findfont(PLAIN), name=PLAIN)
    best, lacking = plain, wanted - characters_of(plain.fname)
    if lacking and (spec := find_spec(PACKAGE)) and spec.origin:
        folder = Path(spec.origin).parent
        for file in font_manager.findSystemFonts([str(folder)]):
            font_manager.fontManager.addfont(file)
    for entry in font_manager.fontManager.ttflist:
        if not lacking:
            break
        missing = wanted - characters_of(entry.fname)
        if len(missing) < len(lacking) and not entry.name.startswith(SQUARES):
            best, lacking = entry, missing
    if lacking:
        letters = ''.join(map(chr, sorted(lacking)[:10]))
        log.warning(f'no font that is installed has the characters {letters}: they are '
                    f'drawn as squares; pip install {PACKAGE}, or a font of the system '
                    'such as fonts-noto-cjk, brings them')
    return best


def characters_of(file: str) -> set[int]:
    """The characters that a font file has; none if it cannot be read."""
    try:
        return set(FT2Font(file).get_charmap())
    except (RuntimeError, OSError):
        return set()
