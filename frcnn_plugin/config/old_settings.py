"""Settings that configs and checkpoints of older versions carry."""

from mmengine.config import Config

from .parts import component_of, nested_dicts

OLD = {'FasterRCNN': 'fast_training', 'RoIHead': 'reorder'}


def drop_old_settings(cfg: Config) -> list[str]:
    """Remove what the components no longer take.

    What these settings did for speed is done by ``default_hooks.accelerate`` now; a
    config that had ``fast_training=False`` is kept without that hook.

    Args:
        cfg: A whole config, or one that a checkpoint carries; changed in place.

    Returns:
        list: The names of the settings that it had, such as
        ``FasterRCNN.fast_training``.
    """
    dropped = []
    for node in nested_dicts(cfg.get('model')):
        _, kind = component_of(node)
        if OLD.get(kind) not in node:
            continue
        value = node.pop(OLD[kind])
        dropped.append(f'{kind}.{OLD[kind]}')
        if kind == 'FasterRCNN' and not value:
            cfg.default_hooks = {**(cfg.get('default_hooks') or {}), 'accelerate': None}
    return dropped
