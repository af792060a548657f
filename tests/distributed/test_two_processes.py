"""Two processes of one image each do what one process does with both images."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers import free_port
from PIL import Image

from frcnn_plugin.commands.train import train
from frcnn_plugin.io.weights_only import load_weights_only

ROOT = Path(__file__).resolve().parents[2]
# Sampling off in both stages. The losses are divided by the number of labelled anchors
# or regions, averaged over the processes (count_samples): with that normaliser the mean
# of the processes' gradients is the gradient of the whole batch.
OPTIONS = [
    'train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False',
    'train_dataloader.sampler.shuffle=False', 'train_dataloader.batch_sampler=None',
    'train_dataloader.dataset.split=pair',
    'train_dataloader.dataset.allow_missing_classes=True',
    'train_dataloader.dataset.pipeline.2.prob=0.0',
    'train_dataloader.dataset.pipeline.2.direction=horizontal',
    'model.backbone.norm_eval=True', 'model.rpn_head.target_sampler.num=-1',
    'model.roi_head.target_sampler.num=-1', 'optim_wrapper.optimizer._delete_=True',
    'optim_wrapper.optimizer.type=SGD', 'optim_wrapper.optimizer.lr=0.01',
    'optim_wrapper.clip_grad=None']


@pytest.fixture(scope='module')
def pair(shapes_root, tmp_path_factory) -> Path:
    """A split of two images of the same size and with other numbers of boxes."""
    root = tmp_path_factory.mktemp('pair') / 'shapes'
    shutil.copytree(shapes_root, root)
    main = root / 'ImageSets/Main'
    rows = []
    for name in (main / 'train.txt').read_text().split():
        size = Image.open(root / f'JPEGImages/{name}.jpg').size
        text = (root / f'Annotations/{name}.xml').read_text()
        rows.append((name, size, text.count('<object>')))
    first = rows[0]
    other = next(row for row in rows if row[1] == first[1] and row[2] != first[2])
    (main / 'pair.txt').write_text(f'{first[0]}\n{other[0]}\n')
    return root


def arguments(repo, root, work_dir, batch_size, *extra: str,
              config: str = 'frcnn_r18_c4_shapes', steps: int = 1) -> list[str]:
    return [str(repo / f'configs/{config}.py'), '--data-root', str(root), '--work-dir',
            str(work_dir), '--max-iters', str(steps), '--seed', '0', *extra,
            '--cfg-options', f'train_dataloader.batch_size={batch_size}', *OPTIONS]


def run_all(launches: list[list[str]], words: list[str], variables=None) -> None:
    """The script of training, started in several ways at once."""
    command = [str(ROOT / 'tools/train.py'), *words]
    processes = [subprocess.Popen(
        [*launch, *command], text=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, env=dict(os.environ, OMP_NUM_THREADS='1', **more))
        for launch, more in zip(launches, variables or [{}] * len(launches),
                                strict=True)]
    try:
        for process in processes:
            _, said = process.communicate(timeout=400)
            assert process.returncode == 0, said[-3000:]
    finally:
        for process in processes:  # one waits for the other for long
            process.kill()


@pytest.fixture(scope='module')
def one(repo, pair, tmp_path_factory):
    """The weights after the step of a single process."""
    work_dir = tmp_path_factory.mktemp('one')
    train(arguments(repo, pair, work_dir, 2))
    return load_weights_only(work_dir / 'iter_1.pth')['state_dict']


@pytest.mark.long
@pytest.mark.parametrize('nodes', [1, 2])
def test_two_processes_equal_one_with_twice_the_batch(repo, pair, one, tmp_path, nodes,
                                                      fresh_process):
    """On one node and on two, as the README starts them."""
    torchrun, port = [sys.executable, '-m', 'torch.distributed.run'], free_port()
    launches = [[*torchrun, '--standalone', '--nproc_per_node=2']] if nodes == 1 else [
        [*torchrun, '--nnodes=2', f'--node_rank={rank}', '--nproc_per_node=1',
         '--master_addr=127.0.0.1', f'--master_port={port}'] for rank in range(2)]
    run_all(launches, arguments(repo, pair, tmp_path, 1, '--launcher', 'pytorch'))
    two = load_weights_only(tmp_path / 'iter_1.pth')['state_dict']
    assert one.keys() == two.keys()
    for name, value in one.items():
        if value.is_floating_point():
            difference = (value - two[name]).norm() / value.norm().clamp(min=1e-12)
            assert difference <= 1e-5, name


@pytest.mark.long
def test_parts_that_wait_in_a_job_of_slurm(repo, pair, tmp_path):
    """Two processes that are named by Slurm's variables take the four steps.

    With parts without a gradient, and a backbone renewed in both.
    """
    tools, port = tmp_path / 'bin', str(free_port())
    tools.mkdir()
    (tools / 'scontrol').write_text('#!/bin/sh\necho 127.0.0.1\n')
    (tools / 'scontrol').chmod(0o755)
    variables = [dict(
        PATH=f'{tools}:{os.environ["PATH"]}', SLURM_PROCID=str(number),
        SLURM_LOCALID=str(number), SLURM_NTASKS='2', SLURM_NODELIST='node[1-2]',
        MASTER_PORT=port) for number in range(2)]
    words = arguments(repo, pair, tmp_path, 1, '--launcher', 'slurm', steps=8,
                      config='frcnn_r18_c4_alternating_shapes')
    run_all([[sys.executable]] * 2, words, variables)
    second, fourth = (load_weights_only(tmp_path / f'step{i}.pth')
                      ['state_dict'] for i in (2, 4))
    backbone = [name for name in second if name.startswith('backbone')]
    assert all(torch.equal(second[name], fourth[name]) for name in backbone)
