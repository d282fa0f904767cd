"""Lazy imports: heavy modules are loaded only when a command runs, so that `--help` and usage errors are fast."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import LazyLoader
from types import ModuleType

PACKAGE = "batchscribe."
#: structlog imports this, and with it Pygments, for tracebacks in color. Those of our log are plain.
UNUSED = "rich.traceback"


@contextmanager
def paused_collection() -> Iterator[None]:
    """Pause the garbage collector while modules are imported, because their objects live until the process ends.

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


@contextmanager
def ended_by_interrupts() -> Iterator[None]:
    """Let Ctrl-C end the process at once while modules are imported, as it ends a program without a handler.

    Otherwise the exception would appear as a traceback. Or Python would discard it, as it does while an import
    statement checks whether a lazy module is complete, and the command would continue with a part of that module.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def without_unused() -> Iterator[None]:
    """Let the import of `UNUSED` fail, as if it were not installed: it takes 20 ms of each command."""
    if UNUSED in sys.modules:
        yield
        return
    sys.modules[UNUSED] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[UNUSED]


class UndisturbedLoader(SourceFileLoader):
    """Loads a module and its imports without garbage collections, exceptions from Ctrl-C, and `UNUSED`."""

    def exec_module(self, module: ModuleType) -> None:
        with ended_by_interrupts(), paused_collection(), without_unused():
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
            spec.loader = LazyLoader(UndisturbedLoader(spec.loader.name, spec.loader.path))
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
