"""mmdet's stock Faster R-CNN, ResNet-50 FPN, from random weights.

Its config ``faster-rcnn_r50_fpn_1x_coco`` as it stands: SGD, 0.02 for 16 pictures a
step (here 2, so 0.0025), 500 steps of warm-up, 1333x800. From random weights nothing is
frozen and the normalisation learns its statistics.
"""

import json
import time
from pathlib import Path

import frcnn_plugin  # noqa: F401 - without compiled mmcv mmdet needs it

# isort: split
import mmdet
import torch
from common import run
from mmdet.apis import inference_detector
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.hooks import Hook
from mmengine.runner import Runner

CONFIG = 'faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'
BATCH = 2


class StopInTime(Hook):
    """Ends the training when the time is over."""

    def __init__(self, end: float) -> None:
        self.end, self.longest, self.began = end, 0.0, 0.0

    def before_train_iter(self, runner: Runner, *args, **kwargs) -> None:
        """Note when the step began."""
        self.began = time.monotonic()

    def after_train_iter(self, runner: Runner, *args, **kwargs) -> None:
        """Stop if there is no time for another step."""
        now = time.monotonic()
        self.longest = max(self.longest, now - self.began)
        runner.train_loop.stop_training = now + self.longest > self.end


def as_coco(pictures: list, classes: list) -> dict:
    """The pictures as a data set of COCO."""
    annotations = [
        dict(image_id=number, category_id=label, iscrowd=0,
             bbox=[x1, y1, x2 - x1, y2 - y1], area=(x2 - x1) * (y2 - y1))
        for number, picture in enumerate(pictures) for label, (x1, y1, x2, y2)
        in zip(picture['labels'], picture['boxes'], strict=True)]
    return dict(
        images=[dict(id=number, file_name=each['image'], width=each['width'],
                     height=each['height']) for number, each in enumerate(pictures)],
        categories=[dict(id=label, name=name) for label, name in enumerate(classes)],
        annotations=[dict(each, id=number)
                     for number, each in enumerate(annotations, 1)])


def train(data: dict, minutes: float, seed: int, folder: Path):
    """Train until the minutes are over."""
    end = time.monotonic() + 60 * minutes
    register_all_modules()
    torch.set_num_threads(2)
    file = folder / 'train.json'
    file.write_text(json.dumps(as_coco(data['train'], data['classes'])))
    cfg = Config.fromfile(Path(mmdet.__file__).parent / '.mim' / 'configs' / CONFIG)
    cfg.work_dir = str(folder)
    cfg.model.backbone.update(init_cfg=None, frozen_stages=-1, norm_eval=False)
    cfg.model.roi_head.bbox_head.num_classes = len(data['classes'])
    loader = cfg.train_dataloader
    loader.update(batch_size=BATCH, num_workers=1,
                  sampler=dict(type='InfiniteSampler', shuffle=True))
    loader.dataset.update(data_root='', ann_file=str(file), data_prefix=dict(img=''),
                          metainfo=dict(classes=tuple(data['classes'])))
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=10**6,
                         val_interval=10**6)
    cfg.optim_wrapper.optimizer.lr = 0.02 * BATCH / 16
    cfg.param_scheduler = cfg.param_scheduler[:1]  # the rest comes after 8 epochs
    for name in ('val', 'test'):
        for part in ('dataloader', 'cfg', 'evaluator'):
            cfg[f'{name}_{part}'] = None
    cfg.default_hooks.checkpoint.update(by_epoch=False, interval=10**6,
                                        save_last=False)
    cfg.randomness = dict(seed=seed)
    runner = Runner.from_cfg(cfg)
    runner.register_hook(StopInTime(end))
    runner.train()
    network = runner.model.eval()
    pipeline = Compose(cfg.test_pipeline)

    def detect(image: str):
        network.cfg = cfg
        found = inference_detector(network, image, pipeline).pred_instances
        return (found.bboxes.tolist(), found.labels.tolist(), found.scores.tolist())

    return detect


if __name__ == '__main__':
    run(train, __doc__.splitlines()[0])
