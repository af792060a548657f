"""torchvision's Faster R-CNN, ResNet-50 FPN, from random weights.

With the schedule of its references: SGD, momentum 0.9, decay 1e-4, 0.02 for 16 pictures
a step (here 2, so 0.0025), 1,000 steps of warm-up, mirrored or not, its own sizes.
"""

import random
import time
from pathlib import Path

import torch
from common import run
from PIL import Image, ImageOps
from torchvision.models.detection import fasterrcnn_resnet50_fpn
from torchvision.transforms.functional import to_tensor

BATCH, RATE, WARM_UP = 2, 0.0025, 1000


def read(path: str) -> torch.Tensor:
    """(3, H, W) float in [0, 1], upright."""
    with Image.open(path) as image:
        return to_tensor(ImageOps.exif_transpose(image).convert('RGB'))


def sample(picture: dict):
    """A picture and its target, mirrored or not."""
    image = read(picture['image'])
    boxes = torch.tensor(picture['boxes']).reshape(-1, 4)
    if random.random() < 0.5:
        image, width = image.flip(2), image.shape[2]
        boxes = boxes[:, [2, 1, 0, 3]] * torch.tensor([-1, 1, -1, 1])
        boxes += torch.tensor([width, 0, width, 0])
    labels = torch.tensor(picture['labels'], dtype=torch.long) + 1
    return image, dict(boxes=boxes, labels=labels)


def train(data: dict, minutes: float, seed: int, folder: Path):
    """Train until the minutes are over."""
    end = time.monotonic() + 60 * minutes
    torch.manual_seed(seed)
    random.seed(seed)
    torch.set_num_threads(2)
    network = fasterrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=len(data['classes']) + 1,
        trainable_backbone_layers=5).train()
    optimizer = torch.optim.SGD(network.parameters(), RATE, 0.9, weight_decay=1e-4)
    warm_up = torch.optim.lr_scheduler.LinearLR(optimizer, 0.001, total_iters=WARM_UP)
    steps, longest = 0, 0.0
    while time.monotonic() + longest < end:
        began = time.monotonic()
        pictures = random.sample(data['train'], min(BATCH, len(data['train'])))
        images, targets = zip(*map(sample, pictures), strict=True)
        loss = sum(network(list(images), list(targets)).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        warm_up.step()
        steps, longest = steps + 1, max(longest, time.monotonic() - began)
    print(steps, 'steps')
    network.eval()

    @torch.inference_mode()
    def detect(image: str):
        (found,) = network([read(image)])
        return (found['boxes'].tolist(), (found['labels'] - 1).tolist(),
                found['scores'].tolist())

    return detect


if __name__ == '__main__':
    run(train, __doc__.splitlines()[0])
