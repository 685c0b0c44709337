"""A function of the user's own as a program, with its inputs read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.core.record import parameter_names
from diffkit.cli.named_function import find_function, suggestion
from diffkit.cli.numbers import read_value
from diffkit.errors import InputError
from diffkit.programs import Program


def read_own(name: str, given: Sequence[str]) -> tuple[Program, tuple[Any, ...]]:
    """The function as a program, and its inputs: as given, else the parameters' defaults.

    Integers are read as floats, unless the parameter's default is an integer (a length, a count);
    lists as arrays. A keyword-only parameter keeps what it is given.

    Raises:
        InputError: for a file or function that is not there, and inputs that do not fit.
    """
    function = find_function(name)
    label = getattr(function, "__name__", name)
    parameters = {p.name: p for p in _parameters(function)}
    in_order = [p.name for p in parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    spread = any(p.kind is p.VAR_POSITIONAL for p in parameters.values())
    by_name = [n for n, p in parameters.items() if p.kind is not p.VAR_POSITIONAL]
    positional = [g for g in given if not _is_named(g)]
    named = [g for g in given if _is_named(g)]
    names = parameter_names(function, len(positional))
    texts = assigned(label, in_order, positional, named, by_name, names if spread else in_order)
    defaults = {
        n: parameters[n].default for n in by_name if parameters[n].default is not inspect.Parameter.empty
    }
    values = {n: d for n, d in defaults.items() if n in in_order}
    keywords: dict[str, Any] = {}
    for key, text in texts.items():
        what = f"{key} of {label}"
        parameter = parameters.get(key)
        if parameter is not None and parameter.kind is parameter.KEYWORD_ONLY:
            keywords[key] = read_value(text, what)
        else:
            values[key] = _value(read_value(text, what), values.get(key), what)
    missing = [n for n in in_order if n not in values]
    missing += [
        n
        for n in by_name
        if parameters[n].kind is inspect.Parameter.KEYWORD_ONLY and n not in {**defaults, **keywords}
    ]
    if missing or (spread and not values):
        first = (missing or ["x"])[0]
        raise InputError(
            f"{label} needs {', '.join(missing) or 'inputs'}: give its inputs in order, or by name, as in "
            f"{name} {' '.join(f'{n}=1.5' for n in missing) or '1.5'}; an array is written as a list, "
            f'"{first}=[0.5, -1]"'
        )
    ordered = {n: values[n] for n in [*in_order, *(n for n in values if n not in in_order)]}
    return Program(function, ordered, None, keywords), tuple(ordered.values())


def assigned(
    label: str,
    in_order: Sequence[str],
    positional: Sequence[str],
    named: Sequence[str],
    by_name: Sequence[str],
    places: Sequence[str],
) -> dict[str, str]:
    """Which text is for which input, each once.

    Args:
        label: the function.
        in_order: its inputs that may be given in order.
        positional, named: what was given, as ``1.5`` and as ``x=1.5``.
        by_name: what may be given by name.
        places: the names of the inputs given in order; more than ``in_order`` for ``*xs``.

    Raises:
        InputError: for an input too many, given twice, or unknown.

    >>> assigned("f", ["x", "y"], ["1"], ["y=2"], ["x", "y"], ["x", "y"])
    {'x': '1', 'y': '2'}
    >>> assigned("f", ["x"], ["3"], ["x=2"], ["x"], ["x"])
    Traceback (most recent call last):
    diffkit.errors.InputError: f is given x twice: 3, its first input, and x=2
    """
    if len(positional) > len(places):
        raise InputError(
            f"{label} takes {_count(in_order)}, but got {len(positional)}: {' '.join(positional)}"
        )
    texts = dict(zip(places, positional, strict=False))
    for item in named:
        key, text = (part.strip() for part in item.split("=", 1))
        if key not in by_name:
            has = f"it has {', '.join(by_name)}" if by_name else "it has none"
            near = suggestion(key, by_name)
            raise InputError(f"{label} has no input {key!r}; {near if near.startswith('did') else has}")
        if key in texts:
            where = "first" if key == places[0] else f"{places.index(key) + 1}." if key in places else "own"
            at = (
                f"{texts[key]}, its {where} input"
                if key in places[: len(positional)]
                else f"{key}={texts[key]}"
            )
            raise InputError(f"{label} is given {key} twice: {at}, and {item}")
        texts[key] = text
    return texts


def _count(names: Sequence[str]) -> str:
    if not names:
        return "no inputs"
    return f"{len(names)} input{'s' * (len(names) != 1)} ({', '.join(names)})"


def _is_named(text: str) -> bool:
    key, equals, _ = text.partition("=")
    return bool(equals) and key.strip().isidentifier()


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        parameters: Mapping[str, inspect.Parameter] = inspect.signature(function).parameters
    except (TypeError, ValueError):  # a function of C that tells no signature takes what it is given
        return [inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)]
    return [p for p in parameters.values() if p.kind is not p.VAR_KEYWORD]


def _value(value: Any, default: Any, what: str) -> Any:
    if isinstance(value, str) or value is None:
        raise InputError(
            f"{what} is a finite number, or a list, tuple or dictionary of them; got {str(value)!r}"
        )
    if type(value) is int:
        return value if type(default) is int else finite(as_float(value, what), what)
    if isinstance(value, list):
        try:
            array = np.array(value, dtype=complex if _has_complex(value) else float)
        except (ValueError, TypeError, OverflowError):
            return [_value(v, None, what) for v in value]
        return finite(array, what)
    if isinstance(value, tuple):
        return tuple(_value(v, None, what) for v in value)
    if isinstance(value, dict):
        return {key: _value(v, None, what) for key, v in value.items()}
    return finite(value, what) if isinstance(value, float | complex) else value


def as_float(value: float, what: str) -> float:
    """An integer, too, as a float.

    Raises:
        InputError: if it is too large for one.
    """
    try:
        return float(value)
    except OverflowError:
        raise InputError(
            f"{what} must be a float, and a number of {len(str(value)):,} digits is none"
        ) from None


def finite(value: Any, what: str) -> Any:
    """A number or an array, if it is finite: 1e400 is no number that a derivative could be taken at.

    Raises:
        InputError: if it is not.
    """
    if not np.all(np.isfinite(value)):
        raise InputError(f"{what} must be finite, and {value} is not")
    return value


def _has_complex(value: Any) -> bool:
    return any(map(_has_complex, value)) if isinstance(value, list) else isinstance(value, complex)
