"""Two processes of one image each do what one process does with both images."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers import free_port
from PIL import Image

from frcnn_plugin.io.weights_only import load_weights_only

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


@pytest.fixture
def pair(shapes_root) -> Path:
    """A split of two images of the same size and with other numbers of boxes."""
    main = shapes_root / 'ImageSets/Main'
    rows = []
    for name in (main / 'train.txt').read_text().split():
        size = Image.open(shapes_root / f'JPEGImages/{name}.jpg').size
        text = (shapes_root / f'Annotations/{name}.xml').read_text()
        rows.append((name, size, text.count('<object>')))
    first = rows[0]
    other = next(row for row in rows if row[1] == first[1] and row[2] != first[2])
    (main / 'pair.txt').write_text(f'{first[0]}\n{other[0]}\n')
    return shapes_root


def run(repo, root, work_dir, launches, batch_size, extra=()):
    rest = [str(repo / 'tools/train.py'),
               str(repo / 'configs/frcnn_r18_c4_shapes.py'), '--data-root', str(root),
               '--work-dir', str(work_dir), '--max-iters', '1', '--seed', '0', *extra,
               '--cfg-options', f'train_dataloader.batch_size={batch_size}', *OPTIONS]
    environment = dict(os.environ, OMP_NUM_THREADS='1')
    nodes = [subprocess.Popen([*launch, *rest], env=environment, text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
             for launch in launches]
    for node in nodes:
        _, said = node.communicate(timeout=400)
        assert node.returncode == 0, said[-3000:]
    return load_weights_only(work_dir / 'iter_1.pth')['state_dict']


def test_two_nodes_equal_one_process_with_twice_the_batch(repo, pair, tmp_path):
    one = run(repo, pair, tmp_path / 'one', [[sys.executable]], 2)
    port = free_port()
    nodes = [[sys.executable, '-m', 'torch.distributed.run', '--nnodes=2',
              f'--node_rank={rank}', '--nproc_per_node=1', '--master_addr=127.0.0.1',
              f'--master_port={port}'] for rank in range(2)]
    two = run(repo, pair, tmp_path / 'two', nodes, 1, ['--launcher', 'pytorch'])
    assert one.keys() == two.keys()
    for name, value in one.items():
        if value.is_floating_point():
            difference = (value - two[name]).norm() / value.norm().clamp(min=1e-12)
            assert difference <= 1e-5, name


def test_parts_that_wait_in_two_processes(repo, pair, tmp_path):
    """The four steps: parts without a gradient, a backbone renewed in both."""
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone',
               '--nproc_per_node=2', str(repo / 'tools/train.py'),
               str(repo / 'configs/frcnn_r18_c4_alternating_shapes.py'),
               '--data-root', str(pair), '--work-dir', str(tmp_path), '--max-iters',
               '8', '--launcher', 'pytorch', '--cfg-options',
               'train_dataloader.batch_size=1', *OPTIONS]
    done = subprocess.run(command, capture_output=True, text=True,
                          env=dict(os.environ, OMP_NUM_THREADS='1'))
    assert done.returncode == 0, done.stderr[-3000:]
    second, fourth = (load_weights_only(tmp_path / f'step{i}.pth')
                      ['state_dict'] for i in (2, 4))
    backbone = [name for name in second if name.startswith('backbone')]
    assert all(torch.equal(second[name], fourth[name]) for name in backbone)
