"""What the tests of this room share."""

import sys

import pytest

from diffkit.expressions import intern_table as table


def _calls(compute):
    """How many functions, Python's and C's, ``compute()`` calls: its work, the same on every machine."""
    count = 0

    def profile(frame, event, arg):
        nonlocal count
        # The intern table tidies itself up now and then; when it does is no part of the work.
        if event in ("call", "c_call") and frame.f_code is not table.sweep.__code__:
            count += 1

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        compute()
    finally:
        sys.setprofile(before)
    return count


@pytest.fixture
def is_linear():
    """``is_linear(compute, n)``: whether ``compute(2 * n)`` takes about twice the calls of ``compute(n)``.

    Quadratic work would take four times as many, or three if half of it is shared with the first.
    """

    def check(compute, n):
        compute(10)  # what is read once and kept, is read here
        once, twice = (_calls(lambda k=k: compute(k)) for k in (n, 2 * n))
        assert once > n, "too little is counted to tell"
        return twice < 2.3 * once

    return check
