"""What a recipe decides, for data sets of different kinds."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope

from frcnn_plugin.datasets.voc_annotation import VOCObject
from frcnn_plugin.errors import DataError
from frcnn_plugin.prepare.voc_writer import Picture
from frcnn_plugin.recipe import measure
from frcnn_plugin.recipe.choose import (
    anchor_ratios,
    anchor_sizes,
    input_size,
    may_flip,
    tile_size,
)
from frcnn_plugin.recipe.facts import facts_of
from frcnn_plugin.recipe.measure import seconds_of_a_step
from frcnn_plugin.recipe.recipe import (
    ENOUGH,
    FEW,
    config_of,
    narrower,
    recipe_for,
    smaller,
)
from frcnn_plugin.recipe.tiled import tiles_with_boxes
from frcnn_plugin.registry import MODELS, SCOPE


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


def test_few_steps_make_the_backbone_narrow():
    facts = facts_of([picture((45, 45), (300, 200))] * 2000)
    full = recipe_for(facts)
    assert narrower(full, facts, ENOUGH) == full
    less = narrower(full, facts, ENOUGH / 4)
    assert less == replace(full, width=32)  # 64 / 4 ** (2 / 3), to the nearest 16
    least = narrower(full, facts, 1)
    assert least.width == narrower(least, facts, 1).width == 16
    # and few pictures do, whatever the time: a quarter of them, half the channels
    for number, width in ((9, 16), (205, 32), (461, 48), (820, 64)):
        few = facts_of([picture((45, 45))] * number)
        assert narrower(recipe_for(few), few, 10**6).width == width
    parameters = []
    for recipe in (full, less):
        cfg = config_of(recipe, ['cat'], Path('data'), ['train', 'val'])
        with DefaultScope.overwrite_default_scope(SCOPE):
            model = MODELS.build(cfg.model).eval()
        (features,) = model.backbone(torch.zeros(1, 3, 64, 96))
        assert features.shape == (1, 4 * recipe.width, 4, 6)
        assert model.rpn_head(features[None])[0][0].shape[2:] == (4, 6)
        parameters.append(sum(each.numel() for each in model.backbone.parameters()))
    assert parameters[1] / parameters[0] == pytest.approx((32 / 64) ** 2, rel=0.02)


def test_few_steps_make_the_input_smaller():
    facts = facts_of([picture((45, 45), (300, 200))] * 9)
    full = recipe_for(facts)
    assert smaller(full, facts, FEW) == full
    less = smaller(full, facts, FEW / 2)
    area, before = (each.size[0] * each.size[1] for each in (less, full))
    assert area == pytest.approx(before / 2, rel=0.1)  # as many pixels in all
    for mine, theirs in zip(less.anchors, full.anchors, strict=True):
        assert mine / less.size[0] == pytest.approx(theirs / full.size[0], rel=0.01)
    least = smaller(full, facts, 1)
    assert least.size[0] == pytest.approx(full.size[0] / 2, abs=16)
    assert smaller(full, facts, 0) == least
    tiny = facts_of([picture((20, 20), width=1600, height=1200)] * 9)  # 13 of 1024
    assert smaller(recipe_for(tiny), tiny, 1) == recipe_for(tiny)
    assert (less.ratios, less.proposals) == (full.ratios, full.proposals)


@pytest.mark.parametrize(('boxes', 'longest', 'side'), [
    ([(24, 24)], 4000, 384),  # 32 pixels in an input of 512
    ([(24, 24), (300, 300)], 4000, 512),  # and the large ones fit
    ([(24, 24), (2000, 2000)], 4000, None),  # those do not
    ([(90, 90)], 4000, None),  # 23 pixels in an input of 1024
    ([(6, 6)], 1100, 256), ([(6, 6)], 1000, None),  # nothing is lost by shrinking
    ([(500, 500), *[(15, 15)] * 8], 1100, None)])  # tiles would be as large
def test_tiny_objects_are_looked_at_in_tiles(boxes, longest, side):
    facts = facts_of([picture(*boxes, width=longest, height=longest)] * 9)
    assert tile_size(facts) == side


def test_the_facts_of_tiles_are_those_of_what_is_trained_on():
    whole = Picture('a', Path('a.jpg'), 500, 300, [
        VOCObject('cat', (10, 10, 29, 29)), VOCObject('cat', (240, 100, 269, 119)),
        VOCObject('dog', (480, 280, 499, 299), difficult=True)])
    tiles = tiles_with_boxes([whole], 256)
    found = [(each.width, each.height, [(item.bbox, item.difficult)
              for item in each.objects]) for each in tiles]
    assert len(found) == 6  # three across, two down: all show the second cat
    assert found[0] == (256, 256, [((10, 10, 29, 29), False),
                                   ((240, 100, 255, 119), False)])
    assert found[5] == (256, 256, [((0, 56, 25, 75), False),
                                   ((236, 236, 255, 255), True)])
    whole.objects.pop(1)
    assert len(tiles_with_boxes([whole], 256)) == 1  # none for the difficult one
    assert facts_of(tiles).classes == {'cat': 7} and facts_of(tiles).longest == 256


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


def test_boxes_are_measured_as_they_are_resized():
    """The shorter side limits a square picture among elongated ones."""
    pictures = [picture((40, 40), width=1000, height=250)] * 60 + [
        picture((40, 40), width=1000, height=1000)] * 40
    facts = facts_of(pictures)
    longer, shorter = input_size(facts)
    for each, share in zip(pictures, facts.shares, strict=True):
        factor = min(longer / each.width, shorter / each.height)
        assert share * longer == pytest.approx(40 * factor, rel=0.05)


def test_without_pictures_to_validate_on():
    cfg = config_of(recipe_for(facts_of([picture((99, 99))])), ['cat'], Path('data'),
                    ['train'])
    assert cfg.val_dataloader is cfg.val_cfg is cfg.val_evaluator is None
    assert cfg.default_hooks.checkpoint.save_best is None
    assert cfg.test_dataloader.dataset.split == 'train'


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
    cfg.optim_wrapper.type = 'BF16OptimWrapper'  # its precision is that of the caller
    updates = []
    monkeypatch.setattr(OptimWrapper, 'update_params', lambda _, loss: (
        updates.append(loss), loss.backward()))
    seconds_of_a_step(cfg, facts, (128, 128), amp=False)
    assert sides[0] == 160 >= 128 * scales.until[1]
    assert sides[1:] == [128] * (len(sides) - 1)  # the root of the mean square, 0.89
    assert len(updates) == len(sides)  # that of the optimizer is part of a step
