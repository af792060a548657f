"""A run that starts from the detector of another one, with other classes."""

import pytest
import torch
from mmengine.config import Config

from frcnn_plugin.commands.train import train
from frcnn_plugin.config.initialisation import start_from, train_from_scratch
from frcnn_plugin.engine.start_from_hook import carried_over
from frcnn_plugin.errors import CheckpointError, ConfigError
from frcnn_plugin.io.checkpoints import read_checkpoint

CLS, REG = 'roi_head.bbox_head.fc_cls', 'roi_head.bbox_head.fc_reg'


def layers(classes: int, sets: int, start: float) -> dict[str, torch.Tensor]:
    """The last layers, each row with a number of its own."""
    rows = torch.arange(start, start + 100.0)
    return {f'{CLS}.weight': rows[:classes + 1, None].expand(-1, 2),
            f'{CLS}.bias': rows[:classes + 1],
            f'{REG}.weight': rows[:4 * sets, None].expand(-1, 2),
            f'{REG}.bias': rows[:4 * sets]}


def test_each_class_keeps_its_own_rows():
    old, new = layers(3, 3, 0), layers(2, 2, 1000)
    taken = carried_over(old, new, ['cat', 'dog', 'cow'], ['cow', 'owl'])
    # the cow's, those of a class that is new, and the background's
    assert taken[f'{CLS}.bias'].tolist() == [2, 1001, 3]
    assert taken[f'{CLS}.weight'][:, 0].tolist() == [2, 1001, 3]
    deltas = taken[f'{REG}.bias'].view(2, 4)
    assert deltas[0].tolist() == [8, 9, 10, 11]
    assert deltas[1].tolist() == [4, 5, 6, 7]  # the mean of the three


@pytest.mark.parametrize(('before', 'after', 'rows'), [
    (1, 3, [[0, 1, 2, 3]] * 3),  # one set for all classes, then one for each
    (3, 1, [[4, 5, 6, 7]]),
    (4, 4, [[8, 9, 10, 11], [4, 5, 6, 7], [0, 1, 2, 3], [12, 13, 14, 15]])])
def test_sets_of_deltas(before, after, rows):
    taken = carried_over(layers(3, before, 0), layers(3, after, 1000),
                         ['cat', 'dog', 'cow'], ['cow', 'dog', 'cat'])
    assert taken[f'{REG}.weight'].view(after, 4, 2)[..., 0].tolist() == rows


def test_other_heads_by_class():
    """Those of other systems are not told apart by class: all of it, or nothing."""
    old, new = {'head.retina_cls.bias': torch.zeros(6)}, {
        'head.retina_cls.bias': torch.ones(6)}
    assert carried_over(old, new, ['cat', 'dog'], ['cat', 'dog'])
    assert not carried_over(old, new, ['cat', 'dog'], ['dog', 'cat'])


def test_what_does_not_fit_stays():
    old = {'a': torch.zeros(2), 'b': torch.zeros(2, 3), 'c': torch.zeros(1)}
    new = {'a': torch.ones(2), 'b': torch.ones(3, 3), 'd': torch.ones(1)}
    assert list(carried_over(old, new, ['cat'], ['cat'])) == ['a']


STILL = ['--max-iters', '1', '--cfg-options', 'optim_wrapper.optimizer.lr=0.0']


def test_a_run_starts_there(small, checkpoint, tmp_path):
    train(small('--from', checkpoint, *STILL, work_dir='next'))
    before, after = (read_checkpoint(path)['state_dict'] for path in (
        checkpoint, tmp_path / 'next/iter_1.pth'))
    for name, value in before.items():
        if not name.endswith(('running_mean', 'running_var', 'num_batches_tracked')):
            torch.testing.assert_close(after[name], value, rtol=0, atol=0)


def test_a_resumed_run_goes_on(small, checkpoint, tmp_path):
    """The weights of its checkpoint stay, not those that it began with."""
    options = ['--from', checkpoint, '--resume']
    train(small(*options, '--max-iters', '1', work_dir='next'))
    path = tmp_path / 'next/iter_1.pth'
    content = torch.load(path, weights_only=False)
    name = next(each for each in content['state_dict'] if 'rpn_head' in each)
    content['state_dict'][name] += 5
    torch.save(content, path)
    train(small(*options, '--max-iters', '2', work_dir='next'))
    after = read_checkpoint(tmp_path / 'next/iter_2.pth')['state_dict']
    torch.testing.assert_close(after[name], content['state_dict'][name], rtol=0,
                               atol=0.01)


@pytest.mark.parametrize(('spoil', 'message'), [
    (lambda content: content['state_dict'].pop('backbone.conv1.weight'),
     'other.pth: of another backbone, 1 tensors do not fit'),
    (lambda content: content['meta'].pop('dataset_meta'),
     'other.pth: does not say which classes it knows')])
def test_what_it_cannot_start_from(small, checkpoint, tmp_path, spoil, message):
    content = torch.load(checkpoint, weights_only=False)
    spoil(content)
    torch.save(content, tmp_path / 'other.pth')
    with pytest.raises(CheckpointError, match=message):
        train(small('--from', str(tmp_path / 'other.pth'), *STILL, work_dir='next'))


def test_one_start_replaces_another(checkpoint):
    cfg = Config(dict(model={}, train_cfg={}, default_scope='frcnn_plugin'))
    start_from(cfg, 'first.pth')
    start_from(cfg, checkpoint)
    assert cfg.default_hooks.start_from.checkpoint == checkpoint
    train_from_scratch(cfg)
    assert not cfg.default_hooks


def test_alternating_training_cannot(small, checkpoint):
    with pytest.raises(ConfigError, match='takes pretrained weights twice'):
        train(small('--from', checkpoint, '--max-iters', '4',
                    config='frcnn_r18_c4_alternating_shapes'))
