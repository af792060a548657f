"""Names in any script are drawn in a font that has them, or a word says what lacks."""

import matplotlib as mpl
import pytest
from matplotlib import font_manager

from frcnn_plugin.io.fonts import PLAIN, SQUARES, characters_of, use_font_for


@pytest.fixture(autouse=True)
def plain_settings():
    with mpl.rc_context():
        yield


def family():
    return mpl.rcParams['font.sans-serif'][0]


def test_what_matplotlib_has_stays(caplog):
    before = family()
    use_font_for(['dog', 'Собака', 'ζῷον'])
    assert family() == before and not caplog.text


def test_a_font_that_has_the_characters():
    plain = characters_of(font_manager.findfont(PLAIN))
    others = set().union(*(
        characters_of(entry.fname) for entry in font_manager.fontManager.ttflist
        if not entry.name.startswith(SQUARES)))
    letter = min(each for each in others - plain if chr(each).isprintable())
    use_font_for(['dog' + chr(letter)])
    chosen = font_manager.findfont(family())
    assert letter in characters_of(chosen) and chosen != font_manager.findfont(PLAIN)


def test_a_word_when_there_is_none(monkeypatch, caplog):
    plain = [entry for entry in font_manager.fontManager.ttflist if entry.name == PLAIN]
    monkeypatch.setattr(font_manager.fontManager, 'ttflist', plain)
    monkeypatch.setattr('frcnn_plugin.io.fonts.find_spec', lambda name: None)
    use_font_for(['狗'])
    assert 'has the characters 狗' in caplog.text
