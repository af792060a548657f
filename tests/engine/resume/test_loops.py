"""What the loops do around iterations; how they resume: test_exact_resume.py."""

from types import SimpleNamespace

import pytest
import torch
from mmengine import runner as stock
from mmengine.logging import MessageHub

from frcnn_plugin.engine.resume import loops as train_loops


def test_all_processes_validate_what_the_first_one_stores(monkeypatch):
    """Each process gathers statistics of its own; one set is in the checkpoint."""
    model, seen = torch.nn.BatchNorm2d(2), []
    first = torch.tensor([3.0, 4.0])

    def broadcast(tensor):  # as from the first process
        if tensor.shape == first.shape:
            tensor.copy_(first)

    val_loop = SimpleNamespace(run=lambda: seen.append(model.running_mean.clone()))
    runner = SimpleNamespace(
        model=model, val_loop=val_loop,
        message_hub=MessageHub.get_instance('test_all_processes_validate'))
    monkeypatch.setattr(train_loops, 'broadcast', broadcast)
    loop = object.__new__(train_loops.ResumableLoop)
    vars(loop).update(runner=runner, _iter=5, val_begin=1, val_interval=4,
                      _decide_current_val_interval=lambda: None)
    for done, last in ((0, 5), (5, 8)):
        loop.validate_if_due(done, last)
    assert not seen
    for _ in range(2):  # the second time is after a resume: done already
        loop.validate_if_due(done=5, last=5)
    assert len(seen) == 1 and torch.equal(seen[0], first)


def test_each_process_draws_numbers_of_its_own(monkeypatch):
    drawn = []
    monkeypatch.setattr(stock.IterBasedTrainLoop, 'run_iter',
                        lambda self, *batch: drawn.append(torch.rand(1).item()))
    loop = object.__new__(train_loops.IterBasedTrainLoop)
    vars(loop).update(_runner=SimpleNamespace(seed=3), _iter=5)
    for rank in (0, 1, 0):
        monkeypatch.setattr(train_loops, 'get_rank', lambda rank=rank: rank)
        loop.run_iter({})
    assert drawn[0] == drawn[2] != drawn[1]


@pytest.mark.parametrize(('known', 'epoch', 'iteration', 'length', 'done'), [
    (None, 2, 8, 4, 0), (None, 1, 7, 4, 3),  # of a run that noted nothing
    (None, 2, 8, 8, 0),  # ... and had other batches
    ((1, 4, 4), 1, 7, 4, 3), ((1, 4, 4), 1, 8, 4, 4), ((0, 0, 4), 1, 4, 4, 0),
    ((1, 4, 4), 1, 7, 8, 0), ((1, 4, 4), 1, 8, 8, 8), ((0, 0, 4), 1, 4, 8, 0),
    ((3, 20, 8), 3, 22, 8, 2)])
def test_where_an_epoch_goes_on(known, epoch, iteration, length, done):
    """Also with another number of batches: one that was not finished begins anew."""
    info = {} if known is None else {train_loops.EPOCH_KEY: known}
    loop = object.__new__(train_loops.EpochBasedTrainLoop)
    vars(loop).update(dataloader=range(length), _epoch=epoch, _iter=iteration,
                      _runner=SimpleNamespace(message_hub=SimpleNamespace(
                          runtime_info=info)))
    assert loop.batches_done() == done
