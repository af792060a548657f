"""What a recipe will do, in words, and how long that should take."""

import math

from ..prepare.account import number
from .facts import Facts
from .recipe import FEW, WIDTH, Recipe

PASSES = 60  # over the pictures after which a curve is usually flat
STEPS = (FEW, 10000)  # fewest and most that are proposed


def proposed_minutes(facts: Facts, recipe: Recipe, step: float) -> int:
    """The time in which a curve is expected to flatten."""
    steps = PASSES * len(facts.sizes) / recipe.batch
    return math.ceil(min(max(steps, STEPS[0]), STEPS[1]) * step / 60 + 1)


def network(recipe: Recipe) -> str:
    """The backbone and the size of its input, in words."""
    width = '' if recipe.width == WIDTH else (
        f' of {recipe.width} instead of {WIDTH} channels')
    return f'ResNet-18 C4{width} at {recipe.size[0]}x{recipe.size[1]}'


def plan(facts: Facts, recipe: Recipe, start: str, validated: bool, step: float,
         seconds: float) -> list[str]:
    """What was found and what will be done, in lines.

    Args:
        facts: Of the pictures to train on.
        recipe: What was decided.
        start: Where the first weights come from, in words.
        validated: Whether pictures are kept for validation.
        step: Seconds of a step.
        seconds: The time for all steps.
    """
    sizes = [each * recipe.size[0] for each in
             (facts.shares.min(), facts.shares.max())]
    steps = int(seconds / step)
    passes = steps * recipe.batch / len(facts.sizes)
    thing = 'tile' if recipe.tiles else 'picture'
    lines = [
        f'to train on: {number(len(facts.sizes), thing)}, '
        f'{number(len(facts.boxes), "box")} of {number(len(facts.classes), "class")}, '
        f'{sizes[0]:.0f} to {sizes[1]:.0f} pixels large at the size of the input',
        f'recipe: {network(recipe)}, anchors of '
        f'{", ".join(f"{size:.0f}" for size in recipe.anchors)} pixels, '
        f'{"mirrored and not" if recipe.flip else "not mirrored"}, '
        f'{recipe.batch} {thing}s a step, {start}',
        f'a step takes {step:.2f} s: about {steps} steps in {seconds / 60:.1f} '
        f'minutes, {passes:.0f} times each {thing}']
    if facts.empty:
        lines.append(f'{facts.empty} pictures without boxes are trained on as such')
    if not validated:
        lines.append('no pictures with boxes are kept for validation: nothing tells '
                     'how good the detector is')
    rare = [name for name, count in facts.classes.items() if count < 10]
    if rare:
        lines.append(f'fewer than 10 boxes: {", ".join(rare)}; expect little of them')
    return lines
