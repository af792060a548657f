"""Boxes, data samples and annotations that both the tools and the tests make."""

from pathlib import Path

import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData


def random_boxes(num: int, width: float = 160, height: float = 128) -> torch.Tensor:
    """(num, 4) boxes inside an image, at least 8 pixels wide and high."""
    scale = torch.tensor([width - 8, height - 8])
    a, b = torch.rand(num, 2) * scale, torch.rand(num, 2) * scale
    return torch.cat([torch.minimum(a, b), torch.maximum(a, b) + 8], dim=1)


def make_samples(counts, num_classes: int = 3, size=(128, 160)) -> list[DetDataSample]:
    """One data sample for each count of boxes."""
    samples = []
    for count in counts:
        sample = DetDataSample(metainfo=dict(
            img_shape=size, ori_shape=size, pad_shape=size, batch_input_shape=size,
            scale_factor=(1.0, 1.0)))
        sample.gt_instances = InstanceData(
            bboxes=random_boxes(count, size[1], size[0]),
            labels=torch.randint(num_classes, (count,)))
        sample.ignored_instances = InstanceData(
            bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
        samples.append(sample)
    return samples


def total(losses: dict) -> torch.Tensor:
    """The sum that training minimises."""
    parts = []
    for name, value in losses.items():
        if 'loss' in name:
            parts += value if isinstance(value, list) else [value]
    return sum(parts)


def edges_of(bbox: list[float], info: dict) -> tuple[float, float, float, float]:
    """The edges of a VOC box, both of whose corners are pixels of it."""
    x1, y1, x2, y2 = bbox
    return x1, y1, min(x2 + 1, info['width']), min(y2 + 1, info['height'])


def as_coco(data) -> dict:
    """The annotations of a data set of mmdet in the format of COCO."""
    classes = data.metainfo['classes']
    images, annotations = [], []
    for index, info in enumerate(map(data.get_data_info, range(len(data)))):
        images.append(dict(id=index, file_name=Path(info['img_path']).name,
                           height=info['height'], width=info['width']))
        for item in info['instances']:
            x1, y1, x2, y2 = edges_of(item['bbox'], info)
            annotations.append(dict(
                id=len(annotations) + 1, image_id=index, iscrowd=0,
                category_id=item['bbox_label'] + 1, area=(x2 - x1) * (y2 - y1),
                bbox=[x1, y1, x2 - x1, y2 - y1]))
    categories = [dict(id=i + 1, name=name) for i, name in enumerate(classes)]
    return dict(images=images, annotations=annotations, categories=categories)
