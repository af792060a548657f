"""A folder of pictures to the config that suits it.

What a recipe decides it takes from the pictures to train on and their boxes, and from
the time there is; how they came to decide so is in ``docs/recipe.md``.
"""
