"""The registries of the package, children of mmdet's with a scope of their own.

A child falls through to its parent. Under ``default_scope = 'frcnn_plugin'`` the
name ``RPNHead`` is ours and ``FPN`` is mmdet's; from any other mmdet project ours is
``frcnn_plugin.RPNHead``. Each of mmdet's registries gets a child, those too that we add
nothing to: mmengine warns about a scope that is missing in one of them.
"""

from mmdet import registry as mmdet_registry
from mmengine.registry import Registry

SCOPE = 'frcnn_plugin'


def _child(parent: Registry, *locations: str) -> Registry:
    return Registry(parent.name, parent=parent, scope=SCOPE,
                    locations=[f'{SCOPE}.{location}' for location in locations])


MODELS = _child(mmdet_registry.MODELS, 'backbones', 'rpn', 'roi', 'detectors')
TASK_UTILS = _child(mmdet_registry.TASK_UTILS, 'rpn', 'roi')
DATASETS = _child(mmdet_registry.DATASETS, 'datasets')
METRICS = _child(mmdet_registry.METRICS, 'evaluation')
HOOKS = _child(mmdet_registry.HOOKS, 'accelerate', 'engine', 'report', 'visualization')
LOOPS = _child(mmdet_registry.LOOPS, 'engine')

DATA_SAMPLERS = _child(mmdet_registry.DATA_SAMPLERS)
EVALUATOR = _child(mmdet_registry.EVALUATOR)
LOG_PROCESSORS = _child(mmdet_registry.LOG_PROCESSORS)
MODEL_WRAPPERS = _child(mmdet_registry.MODEL_WRAPPERS)
OPTIMIZERS = _child(mmdet_registry.OPTIMIZERS)
OPTIM_WRAPPERS = _child(mmdet_registry.OPTIM_WRAPPERS)
OPTIM_WRAPPER_CONSTRUCTORS = _child(mmdet_registry.OPTIM_WRAPPER_CONSTRUCTORS)
PARAM_SCHEDULERS = _child(mmdet_registry.PARAM_SCHEDULERS)
RUNNERS = _child(mmdet_registry.RUNNERS)
RUNNER_CONSTRUCTORS = _child(mmdet_registry.RUNNER_CONSTRUCTORS)
TRANSFORMS = _child(mmdet_registry.TRANSFORMS)
VISBACKENDS = _child(mmdet_registry.VISBACKENDS)
VISUALIZERS = _child(mmdet_registry.VISUALIZERS)
WEIGHT_INITIALIZERS = _child(mmdet_registry.WEIGHT_INITIALIZERS)
