"""Lazy imports: heavy modules are loaded only when a command runs, so that `--help` and usage errors are fast."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import LazyLoader
from types import ModuleType

PACKAGE = "batchscribe."


@contextmanager
def paused_collection() -> Iterator[None]:
    """Pause the garbage collector while modules are imported: what they create lives until the process ends.

    It would examine these objects again and again, which takes a tenth of the CPU time of a short command.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class UncollectedLoader(SourceFileLoader):
    """Loads a module, and what that imports, with the garbage collector paused."""

    def exec_module(self, module: ModuleType) -> None:
        with paused_collection():
            super().exec_module(module)


class LazyFinder(MetaPathFinder):
    """A finder for modules of batchscribe that are executed when one of their names is first used."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(PACKAGE):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        is_package = spec is not None and spec.submodule_search_locations is not None
        if spec is not None and isinstance(spec.loader, SourceFileLoader) and not is_package:
            spec.loader = LazyLoader(UncollectedLoader(spec.loader.name, spec.loader.path))
        return spec


@contextmanager
def lazy_imports() -> Iterator[None]:
    """Delay the execution of modules imported in this block; write `from batchscribe.cli import local_job`.

    Ordinary import statements remain visible to type checkers and to the check of the import layers.
    """
    finder = LazyFinder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
