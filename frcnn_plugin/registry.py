"""The registries of the package, children of mmdet's with a scope of their own.

A child falls through to its parent. Under ``default_scope = 'frcnn_plugin'`` the
name ``RPNHead`` is ours and ``FPN`` is mmdet's; from any other mmdet project ours is
``frcnn_plugin.RPNHead``. Each of mmdet's registries gets a child, those too that we add
nothing to: mmengine warns about a scope that is missing in one of them.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from .errors import ConfigError

try:
    from mmdet import registry as mmdet_registry
    from mmengine.registry import Registry
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"frcnn_plugin's components need {error.name} and found none: "
        '`pip install "frcnn-plugin[lite]"` brings mmcv-lite (nothing to compile), '
        '`pip install "frcnn-plugin[compiled]"` the compiled mmcv', name=error.name
        ) from error

SCOPE = 'frcnn_plugin'


class LazyRegistry(Registry):
    """Imports what it is to hold when it is first looked into, in whichever way."""

    def import_from_location(self) -> None:
        """Import all that is registered here and in the parents."""
        super().import_from_location()
        parent = self.parent
        while parent is not None:  # mmengine looks into them, but imports nothing
            parent.import_from_location()
            parent = parent.parent

    def _register_module(self, module: type | Callable,
                         module_name: str | list[str] | None = None,
                         force: bool = False) -> None:
        if force:  # what it is to replace has to be there
            self.import_from_location()
        super()._register_module(module, module_name, force)

    def __len__(self) -> int:
        return len(self.module_dict)

    def __repr__(self) -> str:
        self.import_from_location()
        return super().__repr__()

    @property
    def module_dict(self) -> dict:
        """All that is registered, by name."""
        self.import_from_location()
        return super().module_dict


def _child(parent: Registry, *locations: str) -> Registry:
    return LazyRegistry(parent.name, parent=parent, scope=SCOPE,
                        locations=[f'{SCOPE}.{location}' for location in locations])


MODELS = _child(mmdet_registry.MODELS, 'backbones', 'rpn', 'roi', 'detectors',
                'datasets.batch_random_scale', 'inference.file_model')
TASK_UTILS = _child(mmdet_registry.TASK_UTILS, 'rpn', 'roi')
DATASETS = _child(mmdet_registry.DATASETS,
                  'datasets.coco_folder', 'datasets.tiled_dataset',
                  'datasets.voc_folder')
METRICS = _child(mmdet_registry.METRICS, 'evaluation.box_ap',
                 'evaluation.proposal_recall', 'evaluation.voc_metric')
HOOKS = _child(mmdet_registry.HOOKS, 'accelerate', 'engine', 'report',
               'visualization.pictures_hook')
LOOPS = _child(mmdet_registry.LOOPS, 'engine')

DATA_SAMPLERS = _child(mmdet_registry.DATA_SAMPLERS)
EVALUATOR = _child(mmdet_registry.EVALUATOR)
LOG_PROCESSORS = _child(mmdet_registry.LOG_PROCESSORS)
MODEL_WRAPPERS = _child(mmdet_registry.MODEL_WRAPPERS)
OPTIMIZERS = _child(mmdet_registry.OPTIMIZERS)
OPTIM_WRAPPERS = _child(mmdet_registry.OPTIM_WRAPPERS, 'engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(mmdet_registry.OPTIM_WRAPPER_CONSTRUCTORS)
PARAM_SCHEDULERS = _child(mmdet_registry.PARAM_SCHEDULERS)
RUNNERS = _child(mmdet_registry.RUNNERS)
RUNNER_CONSTRUCTORS = _child(mmdet_registry.RUNNER_CONSTRUCTORS)
TRANSFORMS = _child(mmdet_registry.TRANSFORMS, 'datasets.tiled_dataset')
VISBACKENDS = _child(mmdet_registry.VISBACKENDS, 'engine.experiment_trackers')
VISUALIZERS = _child(mmdet_registry.VISUALIZERS)
WEIGHT_INITIALIZERS = _child(mmdet_registry.WEIGHT_INITIALIZERS)


UNKNOWN = re.compile(r'(\S+) is not in the \S+ registry|Failed to get (\S+)')
ARGUMENTS = re.compile(
    r'(\w+)\.__init__\(\) (?:got an unexpected keyword argument|missing \d+ required)')


@contextmanager
def explain_config() -> Iterator[None]:
    """Around what builds from a config: its mistakes become one line.

    Errors of the components themselves stay what they are.

    Raises:
        ConfigError: If a component is registered nowhere, or does not have a setting.
    """
    try:
        yield
    except (KeyError, RuntimeError) as error:
        unknown = UNKNOWN.search(str(*error.args[:1]))
        if unknown is None:
            raise
        name = unknown[1] or unknown[2]
        near = get_close_matches(name.rpartition('.')[2], _components(), 1)
        hint = f', did you mean {near[0]!r}?' if near else ''
        raise ConfigError(
            f'the config names {name!r} as type, and {name!r} is not registered{hint}; '
            'a module of your own is imported with custom_imports') from error
    except TypeError as error:
        named = ARGUMENTS.match(str(error))
        known = [base.__name__ for component in _components().values()
                 for base in getattr(component, '__mro__', ())]
        if named is None or named[1] not in known:
            raise
        raise ConfigError(f'the config does not fit {named[1]}: {error}') from error


def _components() -> dict[str, type]:
    """All that is registered, here and in the parents, by name."""
    found: dict[str, type] = {}
    for registry in globals().values():
        while isinstance(registry, Registry):
            found = {**registry.module_dict, **found}
            registry = registry.parent
    return found
