"""Groups of options that several commands share, as dataclasses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from inspect import Parameter, Signature
from typing import Any, get_type_hints


def with_option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Replace each parameter of a command that is a dataclass by its options. The command gets them as one object."""
    hints = get_type_hints(command)
    groups = {name: hint for name, hint in hints.items() if isinstance(hint, type) and is_dataclass(hint)}
    declared = {name: _options_of(group, lambda hint: hasattr(hint, "__metadata__")) for name, group in groups.items()}
    own = _options_of(command, lambda hint: not is_dataclass(hint))

    def run(**values: Any) -> None:
        for name, group in groups.items():
            given = {option: values.pop(option) for option in declared[name]}
            values[name] = group(**{option: value for option, value in given.items() if value not in (None, [])})
        command(**values)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    every = [parameter for options in (*declared.values(), own) for parameter in options.values()]
    vars(run)["__signature__"] = Signature(every)
    return run


def _options_of(owner: Callable[..., Any], is_wanted: Callable[[Any], bool]) -> dict[str, Parameter]:
    """Return the parameters whose type hints are wanted, with these hints evaluated."""
    parameters, hints = Signature.from_callable(owner).parameters, get_type_hints(owner, include_extras=True)
    return {
        name: parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[name])
        for name, parameter in parameters.items()
        if is_wanted(hints[name])
    }
