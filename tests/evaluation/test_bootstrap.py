"""Bootstrap samples beside evaluations of data sets made of copies of the images."""

import numpy as np
import pytest

from frcnn_plugin.evaluation.bootstrap import ap_of_samples, draw_samples
from frcnn_plugin.evaluation.coco_evaluation import evaluate

NUM_CLASSES = 4


@pytest.fixture(params=[False, True], ids=['difficult', 'crowd'])
def crowd(request):
    return request.param


def random_images(num: int = 12) -> list[tuple]:
    """The last class has no object; images share scores; the last one is empty."""
    rng = np.random.default_rng(3)
    images = []
    for _ in range(num - 1):
        first = rng.uniform(0, 90, (6, 2))
        objects = np.hstack([first, first + rng.uniform(15, 60, (6, 2))])
        labels = rng.integers(0, NUM_CLASSES - 1, 6)
        found = np.vstack([objects, objects[:4]]) + rng.normal(0, 4, (10, 4))
        places = np.concatenate([labels, rng.integers(0, NUM_CLASSES, 4)])
        scores = rng.choice(20, 10, replace=False) / 20
        images.append(((objects[2:], labels[2:]), (objects[:2], labels[:2]),
                       (found, places, scores)))
    nothing = np.zeros((0, 4)), np.zeros(0, int)
    return [*images, (nothing, nothing, (*nothing, np.zeros(0)))]


def precision_of(evaluation) -> np.ndarray:
    """(T, C) AP, NaN without ground truth."""
    ap = evaluation.eval['precision'][..., 0, -1].mean(1)
    return np.where(ap < 0, np.nan, ap)


def test_equals_a_loop_that_evaluates_again(crowd):
    images = random_images()
    counts = draw_samples(len(images), 130, seed=0)
    counts[:, 0], counts[:, 1] = 1, np.eye(len(images))[0] * 3
    found = ap_of_samples(evaluate(images, NUM_CLASSES, crowd), counts)
    assert np.isnan(found[:, :-1]).any()  # not every sample has every class
    for place in (0, 1, *range(2, counts.shape[1], 3)):
        sample, ap = counts[:, place], found[..., place]
        copies = [image for image, count in zip(images, sample, strict=True)
                  for _ in range(int(count))]
        np.testing.assert_allclose(
            ap, precision_of(evaluate(copies, NUM_CLASSES, crowd)), atol=1e-9)


def test_samples_are_as_large_as_the_data_and_follow_the_seed():
    counts = draw_samples(7, 50, seed=1)
    assert counts.shape == (7, 50) and (counts.sum(0) == 7).all()
    assert (counts == draw_samples(7, 50, seed=1)).all()
    assert (counts != draw_samples(7, 50, seed=2)).any()
