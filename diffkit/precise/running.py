"""Running a program on precise numbers, and saying why where that is not possible."""

from __future__ import annotations

import dis
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from diffkit.containers import flatten
from diffkit.errors import DiffkitError, InputError
from diffkit.precise.arrays import PreciseArray
from diffkit.precise.number import Arithmetic, Precise, arithmetic, precise


def lift(value: Any, home: Arithmetic) -> Any:
    """A leaf with its floats as Precise numbers; whole numbers stay, since they count and index."""
    if isinstance(value, np.ndarray):
        if value.dtype == object or np.issubdtype(value.dtype, np.inexact):
            out = np.empty(value.shape, dtype=object)
            # ndarray.tolist would turn float32 into float, and longdouble into itself: go by element
            out.reshape(-1)[:] = [_lifted(entry, home) for entry in value.reshape(-1)]
            return out.view(PreciseArray)
        return value
    return _lifted(value, home)


def _lifted(value: Any, home: Arithmetic) -> Any:
    if isinstance(value, (bool, int, np.integer, np.bool_)):
        return value
    number = home.lift(value)
    return value if number is None else precise(number, home)


def release(value: Any, home: Arithmetic) -> Any:
    """A result as Precise numbers that may become floats again."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "fcO":
            return value
        out = np.empty(value.shape, dtype=object)
        out.reshape(-1)[:] = [release(entry, home) for entry in value.reshape(-1)]
        return out.view(PreciseArray)
    if isinstance(value, (bool, np.bool_)):
        return value
    number = home.lift(value)
    return value if number is None else precise(number, home)


def run(f: Callable[..., Any], arguments: Sequence[Any], home: Arithmetic) -> Any:
    """f on arguments that are Precise already, with what goes wrong explained.

    Raises:
        InputError: if f raises, or does something that needs a machine float, or may take the real
            part of a plain array of complex numbers.
    """
    _refuse_plain_parts(f, arguments)
    try:
        with np.errstate(all="ignore"):
            return f(*arguments)
    except DiffkitError:
        raise
    except Exception as error:
        name = getattr(f, "__name__", "f")
        raise InputError(
            f"{name} can't be run on numbers of {home.digits} digits: {type(error).__name__}: {error}"
            f"{_hint(error)}{_place(error)}"
        ) from error


def _refuse_plain_parts(f: Callable[..., Any], arguments: Sequence[Any]) -> None:
    """Refuses programs that may take ``.real``, or the norm, of a plain array of complex numbers.

    np.asarray and np.array strip an array down to NumPy's own class without asking, and there an
    array of objects is its own real part, and its norm the root of a sum of squares that are not
    absolute. Nothing at run time tells, so f's code is read for the names: better one refusal too
    many than complex numbers in place of real ones.
    """
    leaves, _ = flatten(list(arguments))
    numbers = (n for leaf in leaves for n in (leaf.flat if isinstance(leaf, np.ndarray) else [leaf]))
    if not any(isinstance(n, Precise) and n._complex for n in numbers):
        return
    code = getattr(f, "__code__", None)
    names = _names(code)
    plain, parts = sorted(names & _PLAIN), sorted(names & set(_PARTS))
    if plain and parts:
        name = getattr(f, "__name__", "f")
        raise InputError(
            f"{name} uses np.{plain[0]} and {_PARTS[parts[0]]} on complex numbers: for NumPy, the array that "
            f"np.{plain[0]} makes of precise numbers is its own real part. Write np.asanyarray(x), or "
            f"np.stack([...]), in place of np.{plain[0]}"
        )
    if names & {"norm", "angle"} and not names & _JOINING and (_makes_lists(code) or "tolist" in names):
        what = "np.linalg.norm" if "norm" in names else "np.angle"
        raise InputError(
            f"{getattr(f, '__name__', 'f')} uses {what} and lists on complex numbers: of a list, NumPy makes "
            "an array that is its own real part. Write np.stack([...]) around it"
        )


_JOINING = frozenset({"stack", "concatenate", "hstack", "vstack", "column_stack", "block", "asanyarray"})
_PLAIN = frozenset({"asarray", "array", "ascontiguousarray", "asfarray", "fromiter"})
_PARTS = {"real": ".real", "imag": ".imag", "norm": "np.linalg.norm", "angle": "np.angle"}


def _names(code: Any) -> set[str]:
    """The global names and attributes in a function's code and in the functions within it."""
    if not isinstance(code, CodeType):
        return set()
    return set(code.co_names).union(*(_names(each) for each in code.co_consts))


def _makes_lists(code: Any) -> bool:
    """Whether a function, or one within it, has a list display."""
    if not isinstance(code, CodeType):
        return False
    here = any(each.opname in ("BUILD_LIST", "LIST_APPEND") for each in dis.get_instructions(code))
    return here or any(_makes_lists(each) for each in code.co_consts)


def _hint(error: Exception) -> str:
    if isinstance(error, TypeError) and "not supported for the input types" in str(error):
        return ". If it made a plain array with np.array or np.asarray, np.stack and np.asanyarray will do"
    return ""


def _place(error: BaseException) -> str:
    """The last line of the user's own code that an error came through."""
    ours = (str(Path(__file__).parents[1]), str(Path(np.__file__).parent))
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(ours)
    ]
    return f" (line {frames[-1].lineno} of {Path(frames[-1].filename).name})" if frames else ""


def evaluate(f: Callable[..., Any], *args: Any, digits: int = 60, exact: bool = True) -> Any:
    """f at the given arguments, without round-off.

    Args:
        f: a program of NumPy functions and Python operators, with any branches and loops.
        *args: floats, float arrays, complex numbers, Fractions, or containers of them. A float
            stands for exactly the binary fraction that it is. Integers, texts and None are handed
            on as they are.
        digits: the decimal digits kept after a transcendental function. What is lost by
            cancellation inside f comes off them.
        exact: whether to keep rational results as fractions; without, all is mpmath, which is
            quicker in long programs.

    Returns:
        f's result with :class:`Precise` numbers in place of floats; ``float(...)`` and
        ``.astype(float)`` round them correctly.

    Raises:
        InputError: if f can't be run on such numbers, with the reason: it uses ``math``, stores
            into a float array, or raises an error of its own.

    >>> from fractions import Fraction
    >>> evaluate(lambda x: 4 * x * (1 - x), Fraction(1, 5))
    Precise(16/25)
    >>> import math
    >>> evaluate(lambda x: math.sin(x), 1.0)
    Traceback (most recent call last):
    diffkit.errors.InputError: <lambda> can't be run on numbers of 60 digits: TypeError: ...
    """
    sealed, released = arithmetic(digits, exact, True), arithmetic(digits, exact)
    leaves, structure = flatten(args)
    result = run(f, structure.unflatten([lift(leaf, sealed) for leaf in leaves]), sealed)
    leaves, structure = flatten(result)
    return structure.unflatten([release(leaf, released) for leaf in leaves])
