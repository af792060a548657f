import torch

from frcnn_plugin.ops import subsample


def labels_with(positives: int, negatives: int, length: int = 100) -> torch.Tensor:
    labels = torch.full((1, length), -1)
    order = torch.randperm(length)
    labels[0, order[:positives]] = 1
    labels[0, order[positives:positives + negatives]] = 0
    return labels


def counts(labels: torch.Tensor) -> tuple[int, int]:
    return int((labels == 1).sum()), int((labels == 0).sum())


def test_too_many_positives_are_thinned_out():
    assert counts(subsample(labels_with(40, 50), 32, 0.25)) == (8, 24)


def test_missing_positives_are_made_up_for_with_negatives():
    assert counts(subsample(labels_with(3, 80), 32, 0.5)) == (3, 29)


def test_missing_negatives_are_not_made_up_for():
    assert counts(subsample(labels_with(40, 5), 32, 0.5)) == (16, 5)


def test_only_labelled_ones_are_picked_and_labels_stay():
    labels = labels_with(10, 20)
    picked = subsample(labels, 16, 0.5)
    assert bool(((picked == -1) | (picked == labels)).all())


def test_images_do_not_mix():
    labels = torch.cat([labels_with(0, 100), labels_with(100, 0)])
    picked = subsample(labels, 10, 0.5)
    assert counts(picked[:1]) == (0, 10)
    assert counts(picked[1:]) == (5, 0)


def test_every_candidate_has_the_same_chance():
    labels = torch.ones(4000, 10, dtype=torch.long)
    share = (subsample(labels, 5, 1.0) == 1).float().mean(0)
    assert bool(((share - 0.5).abs() < 0.05).all())


def test_sampling_switched_off():
    labels = labels_with(30, 40)
    assert torch.equal(subsample(labels, -1, 0.5), labels)


def test_nothing_to_pick_from():
    empty = torch.zeros(2, 0, dtype=torch.long)
    assert subsample(empty, 8, 0.5).shape == (2, 0)
