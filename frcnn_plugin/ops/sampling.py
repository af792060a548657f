"""Random subsets of fixed size, without a loop over images and without ``nonzero``.

Each candidate draws a random key; the highest keys win. This picks every subset of
candidates with the same probability, as a random permutation does.
"""

import torch
from torch import Tensor


def random_subset(candidates: Tensor, num: int) -> tuple[Tensor, Tensor]:
    """Pick at most ``num`` of the (B, N) candidates, bool, of each image at random.

    Returns:
        tuple: (B, k) int64 indices with k = min(num, N), the picked ones first, and
        (B, k) bool, which of them are candidates.
    """
    keys = torch.rand(candidates.shape, device=candidates.device)
    keys = keys.masked_fill(~candidates, -1)
    values, indices = keys.topk(min(num, candidates.size(1)), dim=1)
    return indices, values >= 0


def subsample(labels: Tensor, num: int, pos_fraction: float) -> Tensor:
    """Keep ``num`` labels of each image, at most ``pos_fraction`` of them positive.

    If positives are short, negatives take their places, as in the paper; if negatives
    are short, fewer than ``num`` labels are kept.

    Args:
        labels: (B, N) int64; 1 positive, 0 negative, -1 neither.
        num: Samples per image; -1 keeps all (sampling switched off).
        pos_fraction: The largest share of positives, in [0, 1].

    Returns:
        Tensor: (B, N) int64; the labels that were picked, all others -1.
    """
    if num < 0:
        return labels
    positives, is_positive = random_subset(labels == 1, int(num * pos_fraction))
    negatives, is_negative = random_subset(labels == 0, num)
    room = num - is_positive.sum(1, keepdim=True)
    rank = torch.arange(negatives.size(1), device=labels.device)
    is_negative = is_negative & (rank < room)

    none = torch.full_like(labels, -1)
    # slots that hold no sample write -1 on a place that has no label of their kind
    return torch.maximum(
        none.scatter(1, positives, torch.where(is_positive, 1, -1)),
        none.scatter(1, negatives, torch.where(is_negative, 0, -1)))
