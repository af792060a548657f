"""What a recipe decides, for data sets of different kinds."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frcnn_plugin.datasets.voc_annotation import VOCObject
from frcnn_plugin.errors import DataError
from frcnn_plugin.prepare.voc_writer import Picture
from frcnn_plugin.recipe import measure
from frcnn_plugin.recipe.choose import anchor_ratios, anchor_sizes, input_size, may_flip
from frcnn_plugin.recipe.facts import facts_of
from frcnn_plugin.recipe.measure import seconds_of_a_step
from frcnn_plugin.recipe.recipe import config_of, recipe_for


def picture(*boxes, width=1280, height=960, name='cat', difficult=False) -> Picture:
    """A picture with boxes of so many pixels."""
    return Picture('a', Path('a.jpg'), width, height, [
        VOCObject(name, (0, 0, w - 1, h - 1), difficult) for w, h in boxes])


def test_facts():
    facts = facts_of([picture((320, 320), (640, 160)), picture(),
                      picture((100, 400), name='dog', width=400, height=800),
                      picture((9, 9), difficult=True)])
    assert facts.classes == {'cat': 2, 'dog': 1}
    np.testing.assert_allclose(facts.shares, [0.25, 0.25, 0.25])
    np.testing.assert_allclose(facts.weights, [0.25, 0.25, 0.5])
    assert facts.most == 2 and facts.empty == 2
    assert facts.longest == 1280 and facts.aspect == pytest.approx(4 / 3)
    with pytest.raises(DataError, match='none of the 1 pictures'):
        facts_of([picture((9, 9), difficult=True)])


def test_small_objects_get_a_larger_input():
    large, small = (facts_of([picture((side, side))] * 9) for side in (600, 45))
    assert input_size(large) == (512, 384)
    longer, shorter = input_size(small)
    assert longer * 45 / 1280 == pytest.approx(32, abs=1) and shorter * 4 == longer * 3
    tiny = facts_of([picture((10, 10), width=2000, height=1500)] * 9)
    assert input_size(tiny)[0] == 1024
    # pictures are not enlarged beyond that
    assert input_size(facts_of([picture((10, 10), width=700, height=700)]))[0] == 704


def test_a_rare_class_of_small_objects_counts():
    common, rare = [picture((600, 600))] * 95, [picture((45, 45), name='dog')] * 5
    assert input_size(facts_of(common + rare))[0] > 800


sides = st.lists(st.tuples(st.integers(8, 960), st.integers(8, 960)), min_size=1)


@given(sides)
@settings(deadline=None)
def test_anchors_cover_the_boxes(boxes):
    """None but the extreme tenth is more than a factor of 1.5 from an anchor."""
    facts = facts_of([picture(*boxes)])
    sizes, ratios = anchor_sizes(facts, 1280), anchor_ratios(facts)
    assert len(sizes) >= 2 and len(ratios) >= 3
    low, high = facts.quantiles(facts.shares * 1280, 0.05, 0.95)
    inside = [side for side in facts.shares * 1280 if low <= side <= high]
    for side in inside:
        assert min(max(size / side, side / size) for size in sizes) < 1.5
    assert all(b / a <= 2.05 for values in (sizes, ratios)
               for a, b in pairwise(values))


@pytest.mark.parametrize(('name', 'flips'), [
    ('cat', True), ('left hand', False), ('turn_right', False), ('LINKS', False),
    ('bright', True), ('leftover', True)])
def test_left_is_not_right(name, flips):
    assert may_flip(facts_of([picture((50, 50), name=name)])) is flips


def test_steps_of_the_very_config_run():
    facts = facts_of([picture((100, 100)), picture((300, 200), name='dog')])
    cfg = config_of(recipe_for(facts), ['cat', 'dog'], Path('data'), ['train', 'val'])
    assert seconds_of_a_step(cfg, facts, (96, 64), amp=False) > 0


def test_the_largest_batch_is_tried_first(monkeypatch):
    """So that a memory that is too small for it is seen before training begins."""
    facts = facts_of([picture((100, 100)), picture((300, 200), name='dog')])
    cfg = config_of(recipe_for(facts), ['cat', 'dog'], Path('data'), ['train', 'val'])
    scales = cfg.model.data_preprocessor.batch_augments[0]
    sides, make = [], measure.random_batch

    def random_batch(batch: int, height: int, width: int, number: int):
        sides.append(width)
        return make(batch, height, width, number)
    monkeypatch.setattr(measure, 'random_batch', random_batch)
    seconds_of_a_step(cfg, facts, (128, 128), amp=False)
    assert sides[0] == 160 >= 128 * scales.until[1]
    assert sides[1:] == [96] * (len(sides) - 1)  # the mean of both ranges, 0.85
