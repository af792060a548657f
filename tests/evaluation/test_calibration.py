"""Probabilities: nearer to the truth on other detections, in the same order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from frcnn_plugin.evaluation.calibration import (
    IDENTITY,
    d_ece,
    features_of,
    fit_map,
    probabilities,
    reliability,
)


def draw(number: int, seed: int, truth: tuple = (0.5, 1.5, -1.0)):
    """Detections, few of them confident, whose probabilities follow a known map."""
    rng = np.random.default_rng(seed)
    scores = rng.beta(0.6, 0.8, number).astype(np.float32)
    return scores, rng.random(number) < probabilities(scores, np.array(truth))


def test_the_map_that_drew_them_is_found():
    scores, right = draw(200_000, 0)
    np.testing.assert_allclose(fit_map(scores, right), (0.5, 1.5, -1.0), atol=0.05)


def test_it_is_logistic_regression():
    scores, right = draw(5000, 1, (1.3, 0.8, 0.4))
    theirs = LogisticRegression(C=1e6, fit_intercept=False, tol=1e-8, max_iter=1000)
    theirs.fit(features_of(scores), right)
    np.testing.assert_allclose(fit_map(scores, right), theirs.coef_[0], atol=0.02)


def test_a_map_that_should_fall_rises_slowly():
    scores, right = draw(20_000, 0, (-0.6, 1.0, -1.0))
    a, b, c = fit_map(scores, right)
    assert a == 0.05
    known = features_of(scores)

    def loss(at: np.ndarray) -> float:
        return (np.logaddexp(0, known @ at) - right * (known @ at)).sum() + (
            (at - IDENTITY) ** 2).sum() / 2

    theirs = minimize(loss, IDENTITY, bounds=[(0.05, None), (0.05, None), (None, None)])
    np.testing.assert_allclose((a, b, c), theirs.x, atol=1e-3)


def test_few_detections_stay_with_what_is_known():
    assert fit_map(np.zeros(0), np.zeros(0, bool)) == IDENTITY
    prior = (2.0, 0.5, 1.0)
    assert fit_map(np.zeros(0), np.zeros(0, bool), prior) == prior
    scores, right = draw(5, 0)
    assert np.abs(np.subtract(fit_map(scores, right, prior), prior)).max() < 1


@pytest.mark.parametrize('truth', [(0.4, 2.0, 0.8), (1.6, 1.0, 1.4), (0.4, 0.5, -1.5)])
def test_d_ece_on_other_detections_is_halved(truth):
    others, right = draw(20_000, 99, truth)
    found = [d_ece(probabilities(others, np.array(fit_map(*draw(1000, seed, truth)))),
                   right) for seed in range(10)]
    assert np.mean(found) < d_ece(others, right) / 2


def test_d_ece_by_hand():
    """Bins are 0.05 wide: two detections at 0.9 and 0.92, one at 0.3, one at 1."""
    scores = np.array([0.9, 0.92, 0.3, 1.0])
    right = np.array([True, False, False, True])
    assert d_ece(scores, right) == pytest.approx(
        (2 * abs(0.5 - 0.91) + abs(0 - 0.3) + abs(1 - 1.0)) / 4)
    assert reliability(scores, right).counts.tolist() == [1, 2, 1]
    assert d_ece(np.zeros(0), np.zeros(0, bool)) is None


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), max_size=40))
def test_the_order_stays_whatever_is_learnt(pairs):
    scores, right = (np.array([pair[i] for pair in pairs]) for i in (0, 1))
    maps = np.array(fit_map(scores, right.astype(bool)))
    assert np.isfinite(maps).all() and (maps[:2] > 0).all()
    grid = np.linspace(0.001, 0.999, 999)
    mapped = probabilities(grid, maps)
    assert (np.diff(mapped) > 0).all() and mapped[0] >= 0 and mapped[-1] <= 1


def test_the_ap_stays():
    scores, right = draw(2000, 3)
    maps = np.array(fit_map(*draw(50, 4)))
    assert average_precision_score(right, probabilities(scores, maps)) == (
        pytest.approx(average_precision_score(right, scores), abs=1e-12))
