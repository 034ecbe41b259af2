"""What libraries load along and no process of ours uses. With seven workers to a stack, a megabyte is seven."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from typing import Any


def defer(name: str) -> None:
    """Has a module run when somebody first wants something of it. The standard library's LazyLoader would run it at
    its first `import`: Python 3.12 asks the module itself whether it is complete."""
    spec = None if name in sys.modules else find_spec(name)
    if spec is None or spec.loader is None:
        return
    loader, module = spec.loader, module_from_spec(spec)

    def load(attribute: str) -> Any:
        del module.__dict__["__getattr__"]
        loader.exec_module(module)
        return getattr(module, attribute)

    module.__dict__["__getattr__"] = load
    sys.modules[name] = module


@contextmanager
def without(*names: str) -> Iterator[None]:
    """While a library is imported that can do without these, and is to: it finds them not installed."""
    hidden = [name for name in names if name not in sys.modules]
    # What the import system takes for "not to be had".
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
