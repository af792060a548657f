"""Makes a config that suits a folder of pictures.

A recipe follows from the pictures to train on, their boxes and the time available;
``docs/recipe.md`` explains its rules.
"""
