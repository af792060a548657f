"""Acts when a module is imported, without importing it for that."""

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


def after_import(name: str, change: Callable[[], None]) -> None:
    """Call a function once a module is imported: at once if it already is.

    Args:
        name: The module, with its packages.
        change: It may import the module.
    """
    if name in sys.modules:
        change()
    else:
        sys.meta_path.insert(0, _Watch(name, change))


class _Watch(MetaPathFinder):
    """Finds one module by the other finders, and acts after it has run."""

    def __init__(self, name: str, change: Callable[[], None]) -> None:
        self.name = name
        self.change = change

    def find_spec(self, name: str, path: Sequence[str] | None = None,
                  target: ModuleType | None = None) -> ModuleSpec | None:
        """The module's own spec, whose loader calls the function, too."""
        if name != self.name:
            return None
        others = (finder.find_spec(name, path, target) for finder in sys.meta_path
                  if finder is not self)
        spec = next((found for found in others if found), None)
        if spec is not None:  # each spec has a loader of its own
            run = spec.loader.exec_module

            def run_and_change(module: ModuleType) -> None:
                run(module)
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                    self.change()

            spec.loader.exec_module = run_and_change
        return spec


def if_missing(name: str, make: Callable[[str], ModuleType]) -> None:
    """Have a module made where no other finder knows one of its name.

    Args:
        name: The module, with its packages.
        make: From its name to the module.
    """
    sys.meta_path.append(_StandIn(name, make))


class _StandIn(MetaPathFinder, Loader):
    """The last of the finders: it is asked for what all others do not find."""

    def __init__(self, name: str, make: Callable[[str], ModuleType]) -> None:
        self.name = name
        self.make = make

    def find_spec(self, name: str, path: Sequence[str] | None = None,
                  target: ModuleType | None = None) -> ModuleSpec | None:
        """A spec of its own for the one module."""
        return ModuleSpec(name, self) if name == self.name else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The stand-in."""
        return self.make(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """It is complete as it was made."""
