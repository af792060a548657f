"""Ours on the CPU and ours on another device: the same results."""

import copy
from argparse import Namespace

import torch
from samples import total

from .pairs import Work, agree, batch_of, pair_of, same_detections


def devices(args: Namespace) -> Work:
    """Detections, losses and gradients, in fp32 with sampling switched off."""
    place, args.device = args.device, 'cpu'
    _, here = pair_of(args)
    images, samples, _ = batch_of(args, boxes=8)
    there = copy.deepcopy(here).to(place)
    moved = images.to(place), [sample.to(place) for sample in samples]

    def detect(net, images, samples):
        with torch.no_grad():
            found = net.eval().predict(images, copy.deepcopy(samples), rescale=False)
        return [sample.pred_instances for sample in found]

    def step(net, images, samples):
        net.zero_grad()
        losses = net.train().loss(images, samples)
        total(losses).backward()
        return losses

    same_detections(detect(there, *moved), detect(here, images, samples))
    losses = step(there, *moved)
    for name, value in step(here, images, samples).items():
        agree(name, losses[name], value, 1e-4 if name == 'acc' else 1e-5)
    for name, parameter in here.named_parameters():
        if parameter.grad is not None:
            size = parameter.grad.norm().clamp(min=1e-8)
            agree(f'gradient of {name}, relative to its norm,',
                  there.get_parameter(name).grad.cpu() / size, parameter.grad / size,
                  1e-2)
    args.device = place
    return {f'a training step on {place}': lambda: step(there, *moved),
            'the same on the CPU': lambda: step(here, images, samples)}
