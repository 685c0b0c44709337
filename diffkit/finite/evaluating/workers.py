"""Evaluations shared out: to a pool of processes, or to whatever maps a function over points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from diffkit.errors import InputError

__all__ = ["Caught", "mapper"]


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
        import os
        import pickle
        from concurrent.futures import ProcessPoolExecutor

        try:
            pickle.dumps(f)
        except Exception as error:
            raise InputError(
                f"f can't be sent to worker processes ({error}): define it with def at the top of a "
                "module, or give workers=ThreadPoolExecutor().map"
            ) from error
        count = self.count or os.cpu_count() or 1
        with ProcessPoolExecutor(count) as pool:
            return list(pool.map(f, points, chunksize=max(1, len(points) // (4 * count))))
