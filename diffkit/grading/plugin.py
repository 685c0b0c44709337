"""The pytest plugin: a fixture ``check_vjp``, for those who test derivative rules of their own.

Installed with diffkit, it says nothing and imports nothing until a test asks for the fixture::

    def test_my_rule(check_vjp):
        check_vjp(lambda g, ans, x: 2 * g * x, np.square, np.array([0.5, -1.0]))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def check_vjp() -> Callable[..., Any]:
    """:func:`diffkit.grading.check_vjp`, which here fails the test if the rule fails.

    It gives the verdict, for what else a test may want to know of it.
    """
    from diffkit.grading import check_vjp as check

    def run(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        verdict = check(*args, **kwargs)
        if not verdict.passed:
            pytest.fail(str(verdict), pytrace=False)
        return verdict

    return run
