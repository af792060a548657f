"""What a registry can not build, in one line.

Comes in: an error from mmengine's registries. Goes out: one line with the component and
the setting. Errors of the components themselves stay what they are.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from types import FrameType, TracebackType

from mmengine.registry import Registry

from ..errors import UserError

UNKNOWN = re.compile(r'(\S+) is not in the \S+ registry|Failed to get (\S+)')
ARGUMENTS = re.compile(
    r'(\w+)\.__init__\(\) (?:got an unexpected keyword argument|missing \d+ required)')


@contextmanager
def explain_config() -> Iterator[None]:
    """Around what builds from a config.

    Raises:
        UserError: If a component is registered nowhere, or does not have a setting.
    """
    try:
        yield
    except (KeyError, RuntimeError) as error:
        unknown, frame = UNKNOWN.search(str(*error.args[:1])), building(
            error.__traceback__)
        if unknown is None or frame is None:
            raise
        name = unknown[1] or unknown[2]
        near = get_close_matches(name.rpartition('.')[2],
                                 names_in(frame.f_locals['registry']), 1)
        hint = f', did you mean {near[0]!r}?' if near else ''
        raise UserError(
            f'the config names {name!r} as type, and {name!r} is not registered{hint}; '
            'a module of your own is imported with custom_imports') from error
    except TypeError as error:
        named, frame = ARGUMENTS.match(str(error)), building(error.__traceback__)
        kind = frame and frame.f_locals.get('obj_cls')
        family = [base.__name__ for base in getattr(kind, '__mro__', ())]
        if named is None or named[1] not in family:
            raise
        raise UserError(f'the config does not fit {kind.__name__}: {error}') from error


def building(trace: TracebackType | None) -> FrameType | None:
    """The innermost call of a registry."""
    found = None
    while trace is not None:
        if trace.tb_frame.f_code.co_name == 'build_from_cfg':
            found = trace.tb_frame
        trace = trace.tb_next
    return found


def names_in(registry: Registry) -> list[str]:
    """What a registry and those above it know."""
    names: list[str] = []
    while registry is not None:
        names += registry.module_dict
        registry = registry.parent
    return names
