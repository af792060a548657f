"""Does training wait for its data? The loader alone beside the step that eats it."""

from argparse import Namespace

import torch
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from frcnn_plugin.config.changes import set_classes, set_data_root
from frcnn_plugin.config.files import load_config
from frcnn_plugin.config.initialisation import train_from_scratch
from frcnn_plugin.engine.resume.loader import ResumableLoader
from frcnn_plugin.registry import MODELS

from .measure import in_precision
from .pairs import Work

BATCHES = 8  # beyond those that the workers hold ready


def loading(args: Namespace) -> Work:
    """A batch from the config's loader, and a step of the config's model on one."""
    cfg = load_config(args.config, needs=('model', 'train_dataloader'))
    if args.data_root:
        set_data_root(cfg, args.data_root)
    if args.classes:
        set_classes(cfg, args.classes)
    init_default_scope(cfg.default_scope)
    train_from_scratch(cfg)
    cfg.train_dataloader.num_workers = args.workers
    cfg.train_dataloader.persistent_workers = args.workers > 0
    if args.batch:
        cfg.train_dataloader.batch_size = args.batch
    loader = ResumableLoader(  # as our training loops read it
        Runner.build_dataloader(cfg.train_dataloader, seed=0), (0, 0))
    net = MODELS.build(cfg.model).to(args.device).train()
    net.init_weights()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0, momentum=0.9)
    data = Batches(loader)
    batch = next(data.stream)
    args.batch = len(batch['inputs'])

    def forward():
        ready = net.data_preprocessor(batch, training=True)
        return net.parse_losses(net(**ready, mode='loss'))[0]

    forward = in_precision(args, forward)

    def step():
        optimizer.zero_grad()
        forward().backward()
        optimizer.step()

    return {f'loading a batch of {args.batch}, {args.workers} workers': data,
            'a training step on it': step}


class Batches:
    """Loads some batches in a row; beforehand it takes those that lie ready.

    Attributes:
        per_call (int): How many each call loads.
        stream (Iterator): The batches without end.
    """

    per_call = BATCHES

    def __init__(self, loader) -> None:
        self.stream = loader.endless()
        self.ready = loader.num_workers * (loader.prefetch_factor or 0)

    def prepare(self) -> None:
        """Empty the workers' store, so that what is timed is loaded meanwhile."""
        for _ in range(self.ready):
            next(self.stream)

    def __call__(self) -> None:
        """Load."""
        for _ in range(self.per_call):
            next(self.stream)
