"""How long a run takes."""

from mmengine.config import Config

from ..errors import ConfigError
from .parts import part_of

# settings that a loop by epochs and one by iterations have
KEPT = ('val_begin', 'max_broken', 'non_finite', 'max_skipped')


def set_max_iters(cfg: Config, max_iters: int) -> None:
    """Stop after so many iterations: a trial run.

    It ends with a checkpoint. It is not validated, though mmengine would at its end, if
    it is shorter than the config's interval of validation or the config counts epochs.
    """
    if max_iters < 1:
        raise ConfigError(f'max_iters is {max_iters}; it must be at least 1')
    loop, steps = cfg.train_cfg, cfg.train_cfg.get('steps')
    interval = loop.get('val_interval', 1000)
    if not steps and 'max_iters' not in loop:
        interval = max_iters + 1  # the interval of a loop by epochs counts epochs
    never = dict(val_begin=max_iters + 1) if max_iters < interval else {}
    if steps:
        whole = max(steps)
        loop.update(steps=share(max_iters, steps), **never)
    else:
        whole = loop.get('max_iters', max_iters)
        kept = {name: loop[name] for name in KEPT if name in loop}
        cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters,
                             val_interval=interval, **{'val_begin': 1, **kept, **never})
    schedulers = cfg.get('param_scheduler') or []
    for scheduler in schedulers if isinstance(schedulers, list) else [schedulers]:
        # by default mmengine ends them with the run: what the whole run would do must
        # not change, for it may be resumed
        scheduler.setdefault('end', max(whole, scheduler.get('begin', 0) + 1))
    hooks = part_of(cfg, 'default_hooks', {})
    logger = part_of(hooks, 'logger', dict(type='LoggerHook'))
    if logger:
        logger['interval'] = max(1, min(logger.get('interval', 50), max_iters // 10))
    checkpoint = part_of(
        hooks, 'checkpoint', dict(type='CheckpointHook', interval=max_iters))
    if checkpoint:
        checkpoint['by_epoch'] = False
    part_of(cfg, 'log_processor', dict(type='LogProcessor'))['by_epoch'] = False


def set_minutes(cfg: Config, minutes: float) -> None:
    """Set how long a config with a ``TimedTrainLoop`` trains."""
    if cfg.train_cfg.get('type') != 'TimedTrainLoop':
        raise ConfigError('this config trains for a number of steps and not for a '
                          'time; name the folder of pictures in its place, or the '
                          'recipe that was made of one')
    cfg.train_cfg.minutes = minutes


def share(total: int, steps: list[int]) -> list[int]:
    """Divide a number in the proportions of others, each share at least 1."""
    if total < len(steps):
        raise ConfigError(f'max_iters is {total}; this config trains in {len(steps)} '
                          'steps, each of which needs at least 1')
    spare, shares = total - len(steps), []
    for index, step in enumerate(steps):
        part = round(spare * step / sum(steps[index:]))
        spare -= part
        shares.append(1 + part)
    return shares
