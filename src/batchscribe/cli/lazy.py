"""Lazy imports: heavy modules are loaded only when a command runs, so that `--help` and usage errors are fast."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

PACKAGE = "batchscribe."


class LazyFinder(MetaPathFinder):
    """A finder for modules of batchscribe that are executed when one of their names is first used."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(PACKAGE):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        is_package = spec is not None and spec.submodule_search_locations is not None
        if spec is not None and spec.loader is not None and not is_package:
            spec.loader = LazyLoader(spec.loader)
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
