"""What runs beside a student's code: it performs the steps of a request, and knows no answers.

In a grading run this is imported by the worker, so it knows NumPy and :mod:`protocol` only. It
calls the submission as its style says, each time with fresh copies of the inputs, and sends back their bytes
as they are afterwards, and whatever came back as raw arrays or text.

>>> import types
>>> from diffkit.grading.inside.protocol import Point, Request, Step, Target
>>> submission = types.SimpleNamespace(square_vjp=lambda g, ans, x: 2 * g * x)
>>> x, y, g = (pack_array(v) for v in (3.0, 9.0, 0.5))
>>> request = Request(
...     Target("square", "vjp", ("square_vjp",)),
...     points=(Point((x,), (), y, (0,)),),
...     seeds=((g,),),
...     steps=(Step("g", "backward", 0, 0, 0),),
... )
>>> unpack_array(perform(submission, request).steps[0].values[0].array)
array(3.)
"""

from __future__ import annotations
import __future__

import contextlib
import dataclasses
import functools
import linecache
import operator
import re
import signal
import sys
import traceback
import types
from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.grading.inside.identity import numbering_builtins
from diffkit.grading.inside.performers import PERFORMERS, Gate, Missing, Registered
from diffkit.grading.inside.protocol import (
    LARGEST_ANSWER,
    Array,
    Failure,
    Given,
    Request,
    Response,
    Step,
    StepResult,
    Variant,
    pack_array,
    unpack,
    unpack_array,
)
from diffkit.grading.inside.randomness import Randomness
from diffkit.grading.inside.watching import Watch


def load(
    source: str | Sequence[str], filename: str, module_name: str = "submission", adapter: str = ""
) -> types.ModuleType:
    """Runs a submission's code as a module of its own; whatever it raises goes through.

    Args:
        source: a script's text, or the texts of a notebook's cells, which are run one after the other as
            Jupyter does, and called "cell 1", "cell 2", ... where something fails.
        filename: the script's, or the notebook's.
        module_name: the module's.
        adapter: the team's code for all submissions. It is run before the submission, and may put modules in
            ``sys.modules`` that submissions import, and name a ``package`` that they say they are in; its
            ``adapt(submission)``, if it has one, is handed the module that came of it, to add and wrap names.
    """
    before = types.ModuleType("adapter")
    exec(compile(adapter, "adapter", "exec", dont_inherit=True), before.__dict__)
    module = types.ModuleType(module_name)
    module.__file__ = filename
    module.__package__ = getattr(before, "package", None)
    module.__dict__["__builtins__"] = numbering_builtins()
    sys.modules[module_name] = module
    flags = 0
    parts = named_parts(source, filename)
    for name, code in parts:  # a failure is told with its line, which is not looked for in a file on sys.path
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    module.__dict__[PARTS] = [name for name, _ in parts]
    for name, code in parts:
        compiled = compile(code, name, "exec", flags, dont_inherit=True)
        flags |= compiled.co_flags & _FUTURE  # what a cell imports from __future__ holds in those after it
        exec(compiled, module.__dict__)
    adapt = module.__dict__[ADAPT] = getattr(before, "adapt", lambda submission: None)
    adapt(module)
    return module


_FUTURE = functools.reduce(
    operator.or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)
_CELL = re.compile(r"cell \d+")
ADAPT = "__adapt__"
"""Under what it has the team's function that wraps what it defines."""
PARTS = "__parts__"
"""Under what a submission's module has the names of its parts, as they were compiled."""


def named_parts(source: str | Sequence[str], filename: str) -> list[tuple[str, str]]:
    """The name and the text of each part of a submission.

    >>> named_parts("x = 1", "ann.py"), named_parts(["x = 1", "y = x"], "ann.ipynb")
    ([('ann.py', 'x = 1')], [('cell 1', 'x = 1'), ('cell 2', 'y = x')])
    """
    if isinstance(source, str):
        return [(filename, source)]
    return [(f"cell {k}", code) for k, code in enumerate(source, start=1)]


class Asked:
    """A request with its arrays rebuilt, once for all submissions that it is put to.

    Whoever performs it hands out copies.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.points = [([unpack(a) for a in p.args], unpack(p.ans)) for p in request.points]
        self.seeds = [[unpack_array(a) for a in seeds] for seeds in request.seeds]


class _Handle:
    """What a forward step left behind: its own copies of the inputs, and the student's state."""

    def __init__(self, asked: Asked, number: int) -> None:
        self.point = asked.request.points[number]
        args, ans = asked.points[number]
        packed = self.point.args
        self.args = [
            a.copy() if type(a) is np.ndarray else unpack(p) for a, p in zip(args, packed, strict=True)
        ]
        self.kwargs = {name: unpack(value) for name, value in self.point.kwargs}
        self.ans = ans.copy() if type(ans) is np.ndarray else ans
        self.state: Any = None
        self.failure: Failure | None = None

    def left(self, seeds: Sequence[Any]) -> bytes:
        """The bytes of the arrays that were handed out, as they are now."""
        given = zip((*self.args, self.ans), (*self.point.args, self.point.ans), strict=True)
        arrays = [now for now, was in given if type(was) is Array]
        return b"".join([a.tobytes() for a in (*arrays, *seeds)])


def perform(module: Any, request: Request | Asked, caught: type[BaseException] = BaseException) -> Response:
    """Performs the steps of a request on a loaded submission.

    Whatever the student's code raises, ``SystemExit`` and ``KeyboardInterrupt`` included, becomes the
    text of that step's failure, and the steps after it are still performed. With ``caught`` as
    ``Exception``, those two go through, as one wants of code that one runs oneself.
    """
    asked = request if isinstance(request, Asked) else Asked(request)
    if asked.request.variant is not None:
        return _varied(module, asked.request, asked.request.variant, caught)
    target = asked.request.target
    try:
        performer = PERFORMERS[target.style](module, target)
    except Missing as missing:
        return Response(missing=tuple(map(str, missing.args)))
    except caught as error:
        return Response(failure=failure_of(error, module))
    handles: dict[int, _Handle] = {}
    results = []
    if asked.request.watched:
        with Watch(getattr(module, PARTS, [])) as watch:
            response = perform(module, Asked(dataclasses.replace(asked.request, watched=False)), caught)
        return dataclasses.replace(response, written=tuple(watch.written), lines=tuple(watch.lines))
    with Randomness(module) if asked.request.steady else contextlib.nullcontext() as randomness:
        for step in asked.request.steps:
            if randomness is not None and step.action == "forward":
                randomness.set_back()
            results.append(_step(performer, module, asked, step, handles, caught))
    return Response(tuple(results))


def _varied(module: Any, request: Request, variant: Variant, caught: type[BaseException]) -> Response:
    """Performs a request with one statement of the file in another form, and puts it back."""
    name = module.__dict__[PARTS][variant.part]

    try:
        _limit(PATIENCE)
        exec(_compiled(variant.text, name, variant.line), module.__dict__)
        module.__dict__[ADAPT](module)
        return perform(module, dataclasses.replace(request, variant=None), caught)
    except caught as error:
        return Response(failure=failure_of(error, module))
    finally:
        with contextlib.suppress(caught):
            _limit(0.0)
            exec(_compiled(variant.was, name, variant.line), module.__dict__)
            module.__dict__[ADAPT](module)


PATIENCE = 0.4
"""Seconds of processor time for a request with a variant: a changed loop may never end."""


def _limit(seconds: float) -> None:
    """Has what runs now end with an exception when its time is over, on systems that have such a clock."""
    if not hasattr(signal, "ITIMER_VIRTUAL"):
        return
    with contextlib.suppress(ValueError, OSError):  # not in the main thread, or not allowed
        if seconds:
            signal.signal(signal.SIGVTALRM, _over)
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)


def _over(*_: object) -> None:
    raise TimeoutError("it takes too long")


@functools.lru_cache(maxsize=64)
def _compiled(text: str, name: str, line: int) -> types.CodeType:
    flags = __future__.annotations.compiler_flag
    code: types.CodeType = compile("\n" * (line - 1) + text, name, "exec", flags, dont_inherit=True)
    return code


def _step(
    performer: Any,
    module: Any,
    asked: Asked,
    step: Step,
    handles: dict[int, _Handle],
    caught: type[BaseException],
) -> StepResult:
    try:
        with np.errstate(all="ignore"):
            seeds: list[Any] = []
            if step.action == "forward":
                previous = handles.get(step.handle)
                handle = handles[step.handle] = _Handle(asked, step.point)
                value = _forward(performer, handle, previous) if performer.has_forward else handle.ans
            else:
                handle = handles[step.handle] if performer.has_forward else _Handle(asked, step.point)
                if handle.failure is not None:  # not what backward makes of a forward that failed
                    return StepResult(failure=handle.failure)
                seeds = [a.copy() for a in asked.seeds[step.seed]]
                g = seeds[0] if len(seeds) == 1 else tuple(seeds)
                state = handle.point.differentiated if isinstance(performer, Registered) else handle.state
                value = performer.backward(g, handle.ans, handle.args, handle.kwargs, state)
        values, grouped = _values(value)
        return StepResult(values, grouped, None, handle.left(seeds))
    except caught as error:
        failure = failure_of(error, module)
        if step.action == "forward" and step.handle in handles:
            handles[step.handle].failure = failure
        return StepResult(failure=failure)


def _forward(performer: Any, handle: _Handle, previous: _Handle | None) -> Any:
    needs = tuple(k in handle.point.differentiated for k in range(len(handle.args)))
    reused = isinstance(performer, Gate) and previous is not None
    extra = {"gate": previous.state} if reused and previous is not None else {}
    answer, handle.state = performer.forward(handle.args, handle.kwargs, needs, **extra)
    return answer


def _values(value: Any) -> tuple[tuple[Given, ...], bool]:
    grouped = type(value) in (tuple, list)
    return tuple(map(_given, value if grouped else (value,))), grouped


def _given(value: Any) -> Given:
    kind = type(value)
    if kind in (float, int, bool, complex):
        number = float(value) if kind is int and abs(value) >= 1 << 63 else value
        return Given("number", pack_array(number))
    if kind is np.ndarray or isinstance(value, np.generic):
        array = np.asarray(value)
        if array.dtype.kind not in "biufc":
            return Given(f"array of {array.dtype}")
        if array.nbytes > LARGEST_ANSWER:
            return Given(f"array of {array.nbytes} bytes")
        return Given("array", pack_array(array))
    return Given(kind.__name__ if value is not None else "None")


def failure_of(error: BaseException, module: Any = None) -> Failure:
    """An exception as text, with the line of the submission that it came through."""
    try:
        message = str(error)[:1000]
    except BaseException:
        message = ""
    filename = getattr(module, "__file__", None)
    where = ""
    try:
        for frame in traceback.extract_tb(error.__traceback__):
            cell = f"{frame.filename}, " if _CELL.fullmatch(frame.filename) else ""
            if cell or frame.filename == filename:
                where = f"{cell}line {frame.lineno}" + (f": {frame.line}" if frame.line else "")
    except BaseException:
        where = ""
    return Failure(type(error).__name__, message, where)
