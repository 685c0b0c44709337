"""Evaluations shared out: to a pool of processes, or to whatever maps a function over points."""

from __future__ import annotations

import ast
import contextlib
import linecache
import os
import sys
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType
from typing import Any

from diffkit.errors import InputError


class Caught:
    """f, with an error of its arithmetic as a result, so that it can come back from a worker."""

    def __init__(self, f: Callable[[Any], Any]) -> None:
        self.f = f

    def __call__(self, x: Any) -> Any:
        try:
            return self.f(x)
        except (ArithmeticError, ValueError) as error:
            return error


def mapper(workers: int | Callable[..., Any] | None) -> Callable[..., Any] | None:
    if workers is None or workers == 1:
        return None
    if callable(workers):
        return workers
    if not isinstance(workers, int) or (workers < 1 and workers != -1):
        raise InputError(
            "workers must be a number of processes, -1 for one per core, or a function like map; "
            f"got {workers!r}"
        )
    return _ProcessMap(None if workers == -1 else workers)


class _ProcessMap:
    """``map`` over a pool of processes, which is started for one set of points and then closed."""

    def __init__(self, count: int | None) -> None:
        self.count = count

    def __call__(self, f: Callable[[Any], Any], points: list[Any]) -> list[Any]:
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        from concurrent.futures.process import BrokenProcessPool

        needs_script, context = _needs_script(f), multiprocessing.get_context()
        runs_script = needs_script and context.get_start_method() != "fork"
        if runs_script and (why_not := _why_script_cannot_run_again()):
            raise InputError(
                f"a worker process finds f by running {why_not}: {_INSTEAD}, or give "
                "workers=ThreadPoolExecutor().map"
            )
        count = self.count or os.cpu_count() or 1
        try:
            with ProcessPoolExecutor(count, context) as pool:
                with contextlib.nullcontext() if needs_script else _without_script():
                    answers = pool.map(f, points, chunksize=max(1, len(points) // (4 * count)))
                return list(answers)
        except BrokenProcessPool as error:
            again = f"; it runs the script first, so {_INSTEAD}" if runs_script else ""
            raise InputError(
                "a worker process ended before it had answered: f ended it, or the machine did for want of "
                f"memory{again}. Without workers=, f is called in this process"
            ) from error


_INSTEAD = 'put what a script does under `if __name__ == "__main__":`, or define f in a module, and import it'


def _needs_script(f: Callable[[Any], Any]) -> bool:
    """Whether f, as it is sent to another process, is looked up in the script that is running.

    Raises:
        InputError: if it can't be sent.
    """
    import pickle
    import pickletools

    try:
        sent = pickle.dumps(f)
    except Exception as error:
        raise InputError(
            f"f can't be sent to worker processes ({error}): define it with def at the top of a "
            "module, or give workers=ThreadPoolExecutor().map"
        ) from error
    return any(argument == "__main__" for _, argument, _ in pickletools.genops(sent))


def _why_script_cannot_run_again() -> str:
    """What a new process would have to run to get at f, if that can't be, or starts processes itself; or "".

    Where processes are not forked (Windows, macOS, Linux from Python 3.14 on), each runs the script anew.
    What is under ``if __name__ == "__main__":`` is left out then; a call that is not would be met again.
    """
    script = getattr(sys.modules["__main__"], "__file__", None)
    if script is None or not os.path.isfile(script):
        return "the script that defines it, and what is typed in, or stands in a notebook, can't be run again"
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == "__main__":
            break
        frame = frame.f_back
    if frame is None or _is_guarded("".join(linecache.getlines(frame.f_code.co_filename)), frame.f_lineno):
        return ""
    name = os.path.basename(script)
    return f"{name} again, and there line {frame.f_lineno} would start worker processes again"


def _is_guarded(source: str, line: int) -> bool:
    """Whether a line stands under a condition on ``__name__``; True where the source can't be read."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return True
    return not tree.body or any(
        isinstance(node, ast.If)
        and any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test))
        and node.lineno <= line <= (node.end_lineno or line)
        for node in tree.body
    )


@contextlib.contextmanager
def _without_script() -> Iterator[None]:
    """Processes that are started meanwhile do not run the script: what they need has a module of its own."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script
