"""What a training step was made of, stored to be examined later."""

from pathlib import Path

import torch
from mmdet.structures.bbox import get_box_tensor
from torch import nn

from ..io.whole_files import whole_or_absent


def save_snapshot(path: Path, model: nn.Module, batch: dict, images: list[str],
                  losses: dict[str, float]) -> None:
    """Store a batch with the paths of its images, its losses and the model's weights.

    ``torch.load`` reads the file: ``inputs``, ``gt_bboxes``, ``gt_labels``, ``images``,
    ``losses``, ``state_dict``.
    """
    gt = [sample.gt_instances for sample in batch['data_samples']]
    with whole_or_absent(path) as file:
        torch.save(dict(
            inputs=batch['inputs'], images=images, losses=losses,
            gt_bboxes=[get_box_tensor(each.bboxes) for each in gt],
            gt_labels=[each.labels for each in gt],
            state_dict={name: value.cpu()
                        for name, value in model.state_dict().items()}), file)
