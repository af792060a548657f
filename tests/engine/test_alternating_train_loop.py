import pytest
import torch
from mmengine.hooks import Hook

from frcnn_plugin.commands.train import train
from frcnn_plugin.detectors import FasterRCNN
from frcnn_plugin.errors import UserError
from frcnn_plugin.io.weights_only import load_weights_only
from frcnn_plugin.registry import HOOKS


@HOOKS.register_module()
class StopAt(Hook):
    """Ends a run in the middle, as a kill does."""

    def __init__(self, at: int) -> None:
        self.at = at

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if runner.iter == self.at:
            raise KeyboardInterrupt


@HOOKS.register_module()
class NoteOptimizer(Hook):
    """Keeps the optimizer and the learning rate of each step."""

    seen: list = []

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        self.seen.append((runner.optim_wrapper, runner.optim_wrapper.get_lr()['lr'][0]))


@pytest.fixture
def alternate(small):
    """Train with two iterations in each of the four steps."""
    def run(*extra: str, stop_at: int = -1, lr: float = 0.001) -> None:
        train([*small(*extra, '--seed', '0', config='frcnn_r18_c4_alternating_shapes'),
               'train_cfg.steps=[2,2,2,2]', 'train_cfg.val_interval=100',
               'default_hooks.checkpoint.interval=3', 'param_scheduler.1.begin=1',
               f'optim_wrapper.optimizer.lr={lr}', 'default_hooks.stop.type=StopAt',
               f'default_hooks.stop.at={stop_at}'])
    return run


def weights(folder, step: int) -> dict:
    return load_weights_only(folder / f'step{step}.pth')['state_dict']


def changed(before: dict, after: dict, part: str) -> bool:
    names = [name for name in before if name.startswith(part)]
    assert names
    return any(not torch.equal(before[name], after[name]) for name in names)


def test_each_step_changes_its_own_parts_and_no_bit_of_the_others(alternate, tmp_path):
    alternate()
    first, second, third, fourth = (weights(tmp_path / 'run', i) for i in (1, 2, 3, 4))
    assert changed(first, second, 'backbone') and changed(first, second, 'roi_head')
    assert not changed(first, second, 'rpn_head')
    # from here on the shared convolutions and their statistics are fixed
    assert not changed(second, third, 'backbone')
    assert not changed(third, fourth, 'backbone')
    assert changed(second, third, 'rpn_head')
    assert not changed(second, third, 'roi_head')
    assert changed(third, fourth, 'roi_head')
    assert not changed(third, fourth, 'rpn_head')


def test_step_2_asks_the_network_of_step_1(alternate, tmp_path, monkeypatch):
    asked, propose = [], FasterRCNN.propose_for

    def note(self, *args, **options):
        asked.append((self.roi_head, {name: value.clone() for name, value in
                                      self.state_dict().items()}))
        return propose(self, *args, **options)
    monkeypatch.setattr(FasterRCNN, 'propose_for', note)
    alternate()
    first = weights(tmp_path / 'run', 1)
    assert len(asked) == 2
    for head, state in asked:
        assert head is None and state
        assert all(torch.equal(first[name], value) for name, value in state.items())


def test_each_step_has_an_optimizer_and_a_schedule_of_its_own(alternate):
    NoteOptimizer.seen.clear()
    alternate('--cfg-options', 'default_hooks.note.type=NoteOptimizer')
    seen = list(NoteOptimizer.seen)
    assert [rate for _, rate in seen[::2]] == [seen[0][1]] * 4
    assert seen[1][1] != seen[0][1]
    assert len({id(wrapper) for wrapper, _ in seen}) == 4


def test_backbone_and_rpn_begin_anew(alternate, tmp_path):
    """Seen at a learning rate of zero, at which nothing else changes a weight."""
    alternate(lr=0.0)
    first, second, third, fourth = (weights(tmp_path / 'run', i) for i in (1, 2, 3, 4))
    assert changed(first, second, 'backbone.conv1')
    assert changed(second, third, 'rpn_head')
    assert not changed(first, fourth, 'roi_head.bbox_head')
    assert not changed(third, fourth, 'rpn_head')


@pytest.mark.long
def test_a_run_that_is_stopped_in_step_3_resumes_in_step_3(
        alternate, tmp_path, capture_log):
    with pytest.raises(KeyboardInterrupt):
        alternate(stop_at=5)
    folder = tmp_path / 'run'
    assert (folder / 'step2.pth').is_file() and not (folder / 'step3.pth').exists()
    alternate('--resume')
    logs = sorted(folder.glob('*/*.log'))
    steps = [line.split(' - ')[-1] for log in logs
             for line in log.read_text().splitlines() if ' of 4: ' in line]
    assert [step[:11] for step in steps] == [
        'step 1 of 4', 'step 2 of 4', 'step 3 of 4', 'step 3 of 4', 'step 4 of 4']
    assert not changed(weights(folder, 2), weights(folder, 4), 'backbone')
    assert load_weights_only(folder / 'step4.pth')['meta']['iter'] == 8


def test_a_run_that_resumes_at_the_end_of_a_step_begins_the_next(alternate, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        alternate(stop_at=2)
    folder = tmp_path / 'run'
    before = weights(folder, 1)
    alternate('--resume', str(folder / 'step1.pth'))
    assert changed(before, weights(folder, 2), 'backbone')
    assert changed(before, weights(folder, 4), 'rpn_head')


def test_step_2_needs_the_checkpoint_of_step_1(alternate, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        alternate(stop_at=3)
    (tmp_path / 'run' / 'step1.pth').unlink()
    with pytest.raises(UserError, match='step 2 trains on the proposals of step 1'):
        alternate('--resume')


def test_the_second_stage_learns_from_the_first_steps_proposals(repo):
    """In step 2 they come from another network than the one that is trained."""
    from helpers import make_samples, tiny_detector

    from frcnn_plugin.registry import MODELS
    detector = MODELS.build(tiny_detector())
    first = MODELS.build(tiny_detector(roi_head=None)).eval()
    asked = []

    def propose(images, samples):
        asked.append(first.propose_for(images, samples, training=True))
        return asked[-1]

    detector.train_stage('roi', propose)
    losses = detector(torch.randn(2, 3, 128, 160), make_samples((2, 3)), 'loss')
    assert set(losses) == {'loss_cls', 'loss_bbox', 'acc'}
    assert asked[0].bboxes.shape[1] == 50  # as many as for training, in eval mode too
    detector.train_stage('rpn')
    losses = detector(torch.randn(2, 3, 128, 160), make_samples((2, 3)), 'loss')
    assert set(losses) == {'loss_rpn_cls', 'loss_rpn_bbox'}


def test_steps_that_cannot_be_meant_are_refused(small):
    arguments = small(config='frcnn_r18_c4_alternating_shapes')
    with pytest.raises(UserError, match='iterations of four steps'):
        train([*arguments, 'train_cfg.steps=[2,2,2]'])
    with pytest.raises(UserError, match='which must divide each step'):
        train([*arguments, 'train_cfg.steps=[70,71,70,70]',
               'optim_wrapper.accumulative_counts=2'])
    with pytest.raises(UserError, match='needs at least 1'):
        train(small('--max-iters', '3', config='frcnn_r18_c4_alternating_shapes'))


def test_a_trial_run_has_all_four_steps(small, tmp_path):
    train(small('--max-iters', '5', config='frcnn_r18_c4_alternating_shapes'))
    content = load_weights_only(tmp_path / 'run' / 'step4.pth')
    assert content['meta']['iter'] == 5
