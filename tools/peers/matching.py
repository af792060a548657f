"""Sets of boxes side by side, whatever their order: equal scores have none."""

import torch
from torch import Tensor


def partners(found: Tensor, expected: Tensor) -> tuple[Tensor, Tensor]:
    """Each row beside its nearest of the other set, in both directions.

    Args:
        found: (N, D) rows.
        expected: (N, D) rows.

    Returns:
        tuple: Two (2 N, D) tensors to be compared row by row.
    """
    assert len(found) == len(expected) > 0
    distances = torch.cdist(found.double(), expected.double(), p=torch.inf)
    return (torch.cat([found, found[distances.argmin(0)]]),
            torch.cat([expected[distances.argmin(1)], expected]))


def detection_partners(found, expected) -> tuple[tuple, tuple]:
    """Boxes and scores of detections beside those of their partners.

    Args:
        found: ``bboxes``, ``scores`` and ``labels`` of one image.
        expected: The same of the other code base.

    Returns:
        tuple: (boxes, boxes) and (scores, scores); partners have the same label.
    """
    def rows(instances):  # labels far apart, and scores on the scale of pixels
        return torch.cat([instances.bboxes, 100 * instances.scores.unsqueeze(1),
                          1e4 * instances.labels.unsqueeze(1)], dim=1)

    mine, theirs = partners(rows(found), rows(expected))
    assert torch.equal(mine[:, 5], theirs[:, 5])
    return (mine[:, :4], theirs[:, :4]), (mine[:, 4] / 100, theirs[:, 4] / 100)
