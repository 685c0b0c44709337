"""Compiled functions give the bits that the functions give: on every path, for every kind of argument."""

from __future__ import annotations

import collections
import functools
import math
import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffkit as dk
from diffkit.autodiff.bits import same_bits
from diffkit.autodiff.compiled.compile import Compiled
from diffkit.containers import flatten


def assert_same(got, want):
    found, found_structure = flatten(got)
    expected, structure = flatten(want)
    assert found_structure == structure
    for a, b in zip(found, expected, strict=True):
        assert same_bits(a, b), (a, b)


def assert_compiles(f, *calls, hits=True):
    """Each call twice, through f and through what it was compiled to: the same bits."""
    compiled = dk.compile(f)
    for args in calls:
        assert_same(compiled(*args), f(*args))
    before = compiled.stats.hits
    for args in calls:
        assert_same(compiled(*args), f(*args))
    if hits:
        assert compiled.stats.hits == before + len(calls), compiled.stats
    return compiled


# -- the lectures' programs -------------------------------------------------------------------------------


def numbers_of(program):
    return tuple(
        k for k, a in enumerate(program.args) if not (isinstance(a, np.ndarray) and a.dtype.kind == "i")
    )


@pytest.mark.parametrize("name", dk.programs.names())
def test_programs_of_the_lectures(name):
    program = dk.programs.get(name)
    argnums = numbers_of(program)
    compiled = dk.compile(program)
    for _ in range(2):
        assert_same(compiled(*program.args), program(*program.args))
    assert compiled.stats.hits == 1
    assert_compiles(dk.jacobian(program, argnums), program.args)
    if isinstance(program(*program.args), tuple):
        return
    for operator in (dk.grad, dk.value_and_grad):
        assert_compiles(operator(program, argnums), program.args)
    assert_compiles(dk.hessian(program), program.args)
    vector = np.ones_like(program.args[0])[()] if np.ndim(program.args[0]) else 1.0
    assert_compiles(dk.hessian_vector_product(program), (*program.args, vector))


def test_other_inputs_get_their_own_answers():
    g = dk.compile(dk.grad(dk.programs.two_or_not_two, (0, 1)))
    rng = np.random.default_rng(0)
    for _ in range(10):
        args = (rng.normal(size=20), rng.normal(), rng.uniform(size=20), rng.uniform(0.1, 0.9))
        assert_same(g(*args), dk.grad(dk.programs.two_or_not_two, (0, 1))(*args))
    assert g.stats == (9, 1, 0, 1)


# -- every branch of generated programs -------------------------------------------------------------------

_POINTS = st.floats(-3.0, 3.0).map(lambda x: round(x, 2))


@st.composite
def branching_programs(draw):
    """A program of two variables that branches, loops and indexes by its values; as source."""
    lines = ["def f(x, y):", "    a, b = x, y"]
    for k in range(draw(st.integers(1, 5))):
        bound = draw(st.floats(-2.0, 2.0).map(lambda v: round(v, 1)))
        one, other = draw(st.permutations(["a", "b"]))
        step = draw(
            st.sampled_from(
                [
                    f"    if {one} > {bound}:\n        {one} = {one} * {other}\n"
                    f"    else:\n        {other} = np.sin({one}) - {other}",
                    f"    n = 0\n    while {one} < {bound} and n < 4:\n"
                    f"        {one} = {one} + 0.75\n        n += 1",
                    f"    if {one} == {other}:\n        {one} = {one} * 2.0",
                    f"    {one} = np.maximum({one}, {other}) + {bound}",
                    f"    {one} = [{one}, {other}, {one} * {other}][int({one} > 0) + int({other} > {bound})]",
                    f"    {one} = np.tanh({one}) / (1.5 + np.cos({other}))",
                    f"    {one} = {other} if not {one} <= {bound} else np.exp(-{one} * {one})",
                    f"    {one} = abs({one}) ** 1.5 + {other} ** 2",
                ]
            )
        )
        # int() needs a plain number: a comparison is decided with bool().
        lines.append(step.replace("int(", "bool("))
        if draw(st.booleans()):
            lines.append(f"    unused{k} = {one} * 3.0")
    lines.append("    return a + 2.0 * b")
    return "\n".join(lines)


@settings(max_examples=60, deadline=None)
@given(source=branching_programs(), points=st.lists(st.tuples(_POINTS, _POINTS), min_size=2, max_size=8))
def test_every_branch_of_generated_programs(source, points):
    scope = {"np": np}
    exec(source, scope)
    f = scope["f"]
    both = dk.value_and_grad(f, (0, 1))
    compiled, compiled_both = dk.compile(f), dk.compile(both)
    with np.errstate(all="ignore"):
        for x, y in points * 2:
            assert_same(_outcome(compiled, x, y), _outcome(f, x, y))
            assert_same(_outcome(compiled_both, x, y), _outcome(both, x, y))


@st.composite
def programs_with_state(draw):
    """A program that reads all kinds of state, and calls among which that is changed."""
    terms = {
        "glob": "glob",
        "table": "table['a'][0]",
        "array": "array[1]",
        "attribute": "thing.w",
        "nested": "thing.inner['b'].w",
        "method": "thing.times(1.0)",
        "helper": "helper(1.0)",
        "default": "default[0]",
    }
    used = draw(st.lists(st.sampled_from(sorted(terms)), min_size=1, max_size=4, unique=True))
    lines = [f"def f(x, default=default):\n    y = x * {draw(_FACTORS)}"]
    for name in used:
        operation = draw(
            st.sampled_from(["y = y + {}", "y = np.sin(y) * {}", "y = y * y if {} > 1.0 else y - 1.0"])
        )
        lines.append("    " + operation.format(terms[name]))
    lines.append("    return y if y > 0.5 else 2.0 * y")
    steps = st.one_of(_POINTS, st.tuples(st.sampled_from(sorted(terms)), _FACTORS))
    return "\n".join(lines), draw(st.lists(steps, min_size=3, max_size=12))


_FACTORS = st.sampled_from([0.5, 1.0, 1.5, 2.0, -1.0, 0.0, -0.0])

_STATE = """
class Thing:
    def __init__(self, w):
        self.w = w
        self.inner = {}
    def times(self, x):
        return self.w * x + len(self.inner)
def helper(x):
    return x * glob + table["a"][-1]
"""


@settings(max_examples=60, deadline=None)
@given(program=programs_with_state())
def test_changes_between_calls_of_generated_programs(program):
    source, steps = program
    scope = {"np": np, "glob": 1.0, "table": {"a": [1.0, 2.0]}, "array": np.ones(3), "default": [1.0]}
    exec(_STATE, scope)
    thing = scope["thing"] = scope["Thing"](1.0)
    thing.inner["b"] = scope["Thing"](2.0)
    exec(source, scope)
    f = scope["f"]
    changes = {
        "glob": lambda v: scope.update(glob=v),
        "table": lambda v: scope["table"]["a"].__setitem__(0, v),
        "array": lambda v: scope["array"].__setitem__(1, v),
        "attribute": lambda v: setattr(thing, "w", v),
        "nested": lambda v: setattr(thing.inner["b"], "w", v),
        "method": lambda v: setattr(scope["Thing"], "times", lambda self, x: x * v),
        "helper": lambda v: scope.update(helper=lambda x: x - v),
        "default": lambda v: scope["default"].__setitem__(0, v),
    }
    gradient = dk.grad(f)
    compiled, compiled_gradient = dk.compile(f), dk.compile(gradient)
    for step in steps:
        if isinstance(step, tuple):
            changes[step[0]](step[1])
            continue
        for _ in range(2):
            assert_same(compiled(step), f(step))
            assert_same(compiled_gradient(step), gradient(step))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-2, 2).map(lambda v: round(v, 1)), min_size=3, max_size=3), st.integers(0, 3))
def test_paths_through_arrays(values, n):
    def f(x, n):
        largest = x[np.argmax(x)]
        positive = x[x > 0]
        y = np.sort(x) * largest
        for k in range(n):
            if y[k % 3] < 0.5:
                y = y + x
        return np.sum(y) + np.sum(positive) * len(positive)

    x = np.array(values)
    assert_compiles(f, (x, n))
    for_all = _shared_grad(f)
    assert_same(for_all(x, n), dk.grad(f)(x, n))


@functools.cache
def _one_per_code(code):
    return []


def _shared_grad(f):
    """One compiled function for all examples, so that their paths meet."""
    kept = _one_per_code(f.__code__)
    if not kept:
        kept.append(dk.compile(dk.grad(f)))
    return kept[0]


WEIGHTS = np.array([1.0, -2.0, 0.5, 3.0])
GOES_BY_VALUES = {
    "sort": lambda x: np.sum(np.sort(x) * WEIGHTS),
    "partition": lambda x: np.sum(np.partition(x, 1)[:2] * x[:2]),
    "median": lambda x: np.median(x) * x[0],
    "quantile": lambda x: np.quantile(x, 0.3) * x[0],
    "prod": lambda x: np.prod(x),
    "max": lambda x: np.max(x) * x[1],
    "interp": lambda x: np.sum(np.interp(x, np.array([-1.0, 0.0, 1.5]), WEIGHTS[:3])),
    "interp_left": lambda x: np.interp(x[0], np.array([0.0, 1.0]), x[1:3]),
    "nansum": lambda x: np.nansum(np.where(x > 1.0, np.nan, x) * WEIGHTS),
    "nanmean": lambda x: np.nanmean(np.where(x > 1.0, np.nan, x) * WEIGHTS),
    "unique": lambda x: np.sum(np.unique(x) ** 2) * len(np.unique(x)),
    "trim_zeros": lambda x: np.sum(np.trim_zeros(x) * 2.0) * len(np.trim_zeros(x)),
    "clip": lambda x: np.sum(np.clip(x, -0.5, 0.5) * WEIGHTS),
    "det": lambda x: np.linalg.det(np.reshape(x, (2, 2))),
    "eigvalsh": lambda x: np.sum(np.linalg.eigvalsh(np.reshape(x, (2, 2))) ** 2 * WEIGHTS[:2]),
    "norm": lambda x: np.linalg.norm(x),
    "frexp": lambda x: np.sum(np.frexp(x)[0] * WEIGHTS),
    "argmax": lambda x: x[np.argmax(x)] * WEIGHTS[np.argmin(x)],
    "nonzero": lambda x: np.sum(x[np.nonzero(x)] ** 2),
    "searchsorted": lambda x: x[0] * float(np.searchsorted(np.array([0.0, 1.0]), 0.5)),
    "absolute": lambda x: np.sum(np.abs(x) * WEIGHTS),
    "extract": lambda x: np.sum(np.extract(x > 0.0, x) ** 3),
    "percentile": lambda x: np.percentile(x, [10, 80]) @ x[:2],
    "float_power": lambda x: np.sum(np.sign(x) * np.abs(x) ** 1.5),
}


@pytest.mark.parametrize("name", GOES_BY_VALUES)
def test_rules_that_go_by_values_are_never_stale(name):
    """The gradient of a sort depends on the order, that of a product on where the zeros are."""
    f = GOES_BY_VALUES[name]
    both = dk.value_and_grad(f)
    compiled = dk.compile(both)
    rng = np.random.default_rng(3)
    points = [np.round(rng.normal(size=4), 1) for _ in range(12)]
    points += [np.where(rng.random(4) < 0.4, 0.0, p) for p in points[:6]] + [np.sort(p) for p in points[:3]]
    with np.errstate(all="ignore"):
        for x in points * 2:
            assert_same(compiled(x), both(x))
    assert compiled.stats.hits


# -- kinds of calls ---------------------------------------------------------------------------------------

Point = collections.namedtuple("Point", "x y")


def test_dtypes_shapes_and_nesting_are_told_apart():
    def f(p):
        leaves = flatten(p)[0]
        return sum(np.sum(leaf * leaf) for leaf in leaves)

    calls = [
        (2.0,),
        (np.float64(2.0),),
        (np.float32(2.0),),
        (np.array([1.0, 2.0]),),
        (np.array([1.0, 2.0], np.float32),),
        (np.array([[1.0, 2.0]]),),
        ([1.0, 2.0],),
        ((1.0, 2.0),),
        ({"a": 1.0, "b": np.ones(2)},),
        ({"b": np.ones(2), "a": 1.0},),
        (Point(1.0, {"deep": [2.0, (3.0,)]}),),
        (collections.OrderedDict(a=1.0),),
    ]
    compiled = assert_compiles(f, *calls)
    assert compiled.stats.paths == len(calls)
    assert_compiles(dk.grad(f), *calls)


def test_constants_are_compared_by_value():
    def f(x, n, mode="sum", weights=None):
        y = x**n
        if weights is not None:
            y = y * weights
        return np.sum(y) if mode == "sum" else np.max(y)

    g = dk.compile(f)
    x = np.array([1.0, 2.0])
    w = np.array([1.0, 3.0])
    for _ in range(2):
        for n in (2, 3, True):
            for mode in ("sum", "max"):
                assert_same(g(x, n, mode), f(x, n, mode))
                assert_same(g(x, n, mode=mode, weights=w), f(x, n, mode=mode, weights=w))
    w[0] = 5.0  # the same array with another content
    assert_same(g(x, 2, mode="sum", weights=w), f(x, 2, mode="sum", weights=w))


def test_a_constant_that_is_changed_later_stays_what_it_was():
    g = dk.compile(lambda x, weights: np.sum(x * weights))
    x, w = np.ones(2), np.array([1, 3])
    assert g(x, w) == 4.0
    w[0] = 100
    assert g(x, np.array([1, 3])) == 4.0
    assert g.stats.hits == 1
    assert g(x, w) == 103.0

    kept = {"w": np.linspace(0.0, 1.0, 2000)}
    h = dk.compile(lambda x: x * np.sum(kept["w"] * x))
    before = h(2.0)
    old = kept["w"].copy()
    kept["w"][:] = 0.0
    assert h(2.0) == 0.0
    kept["w"] = old
    assert h(2.0) == before


def test_subclasses_of_arrays_are_told_apart_by_shape():
    class Tagged(np.ndarray):
        pass

    g = dk.compile(lambda x: np.sum(x) / len(x))
    for n in (2, 3, 2, 3):
        assert g(np.arange(float(n)).view(Tagged)) == (n - 1) / 2


def test_integer_arrays_are_constants():
    def f(x, index):
        return np.sum(x[index] * np.arange(len(index)))

    g = dk.compile(dk.grad(f))
    x = np.arange(4.0)
    for index in (np.array([0, 1]), np.array([3, 3]), np.array([0, 1])):
        assert_same(g(x, index), dk.grad(f)(x, index))
    assert g.stats.paths == 2


def test_a_negative_base_turns_complex():
    def f(x):
        return x**0.5 * x**0.5

    g = dk.compile(f)
    assert_same(g(4.0), f(4.0))
    assert_same(g(-4.0), f(-4.0))
    assert isinstance(g(-4.0), complex)


def test_numbers_of_elements_that_follow_from_values():
    def f(x):
        return np.sum(x) * len(np.flatnonzero(x)) + np.count_nonzero(x > 1.0)

    g = dk.compile(f)
    for x in ([1.0, 0.0, 2.0], [1.0, 1.0, 2.0], [0.0, 0.0, 0.0], [5.0, 4.0, 3.0]):
        assert_same(g(np.array(x)), f(np.array(x)))


def test_nested_in_another_derivative():
    inner = dk.compile(dk.grad(lambda x: x**3))
    assert dk.grad(inner)(2.0) == 12.0
    assert dk.grad(dk.compile(lambda x: x**3))(2.0) == 12.0
    assert inner.stats.plain == 1


def test_of_a_method():
    class Model:
        def __init__(self):
            self.scale = 2.0

        @dk.compile
        def plain(self, x):
            return self.scale * x

        def loss(self, x):
            return self._twice(x) * self.scale

        def _twice(self, x):
            return x * x * 2.0

    model = Model()
    loss = dk.compile(model.loss)
    assert loss(3.0) == 36.0
    assert loss(4.0) == 64.0
    assert loss.stats.hits == 1
    model.scale = 10.0
    assert loss(3.0) == 180.0
    assert model.plain(3.0) == 30.0
    model.scale = 1.0
    assert model.plain(3.0) == 3.0


# -- where emitted code has no answer, the function has ---------------------------------------------------


def test_numbers_at_the_ends_of_the_range():
    with np.errstate(all="ignore"):
        for f in (np.log, np.exp, np.sqrt, np.arctanh, lambda x: np.exp(np.log(x))):
            g = dk.compile(f)
            for x in (0.5, 0.0, -1.0, 1e4, -1e4, math.inf, math.nan, 0.25, 0.0):
                assert_same(g(x), f(x))


def test_gradients_at_kinks():
    with np.errstate(all="ignore"):
        for f in (np.sqrt, lambda x: abs(x), lambda x: np.maximum(x, 0.0), lambda x: 1.0 / (x * x)):
            g = dk.compile(dk.grad(f))
            for x in (1.0, 0.0, -0.0, 4.0, 0.0):
                assert_same(_outcome(g, x), _outcome(dk.grad(f), x))


def _outcome(f, *args):
    try:
        return f(*args)
    except (ArithmeticError, dk.InputError) as error:
        return type(error).__name__


def test_what_the_function_raises_is_raised():
    def f(x):
        if x > 1.0:
            raise KeyError("too large")
        return x * x

    g = dk.compile(f)
    assert g(0.5) == 0.25
    with pytest.raises(KeyError, match="too large"):
        g(2.0)
    assert g(0.25) == 0.0625


def test_answers_may_be_changed_in_place():
    def f(x):
        return np.zeros(3), 1.0 * x, x[::-1], np.sum(x)

    g = dk.compile(f)
    x = np.arange(3.0)
    for _ in range(3):
        zeros, same, _, _ = g(x)
        assert_same(zeros, np.zeros(3))
        zeros += 7.0
        same += 1.0
        assert_same(x, np.arange(3.0))
    gradient = dk.compile(dk.grad(np.sum))
    for _ in range(3):
        ones = gradient(x)
        assert_same(ones, np.ones(3))
        ones *= 5.0


def test_merged_rows_are_given_away_once():
    g = dk.compile(lambda x: (x * 2.0, x * 2.0))
    x = np.ones(2)
    g(x)
    a, b = g(x)
    a += 1.0
    assert_same(b, np.full(2, 2.0))


# -- what f depends on besides its arguments --------------------------------------------------------------

SCALE = 2.0
TABLE = {"weights": np.array([1.0, 2.0])}


def test_globals_are_watched():
    global SCALE
    g = dk.compile(lambda x: SCALE * np.sum(TABLE["weights"] * x))
    x = np.ones(2)
    try:
        assert [g(x), g(x)] == [6.0, 6.0]
        SCALE = 3.0
        assert [g(x), g(x)] == [9.0, 9.0]
        TABLE["weights"][0] = 2.0
        assert [g(x), g(x)] == [12.0, 12.0]
        TABLE["weights"] = np.array([0.0, 0.0])
        assert g(x) == 0.0
    finally:
        SCALE = 2.0
        TABLE["weights"] = np.array([1.0, 2.0])
    assert g(x) == 6.0


def test_variables_around_the_function_are_watched():
    w = np.array([1.0, 2.0])
    power = 2

    def helper(x):
        return np.sum(w * x) ** power

    def f(x, scale=[1.0]):  # noqa: B006
        return helper(x) * scale[0]

    g = dk.compile(dk.grad(f))
    x = np.ones(2)
    assert_same(g(x), dk.grad(f)(x))
    w[1] = -1.0
    assert_same(g(x), dk.grad(f)(x))
    power = 3
    assert_same(g(x), dk.grad(f)(x))
    f.__defaults__[0][0] = 4.0
    assert_same(g(x), dk.grad(f)(x))
    original, helper = helper, lambda x: np.sum(x)
    assert_same(g(x), dk.grad(f)(x))
    assert original(x) == 0.0


def test_what_comes_from_a_class_is_watched():
    class Base:
        shared = 2.0

        def factor(self):
            return self.shared

    class Model(Base):
        def loss(self, x):
            return x * self.factor()

    model = Model()
    loss = dk.compile(model.loss)
    assert [loss(1.0), loss(2.0)] == [2.0, 4.0]
    Base.shared = 3.0
    assert loss(2.0) == 6.0
    Model.factor = lambda self: 10.0
    assert loss(2.0) == 20.0

    def f(x):
        return x + 1.0

    g = dk.compile(f)
    assert [g(1.0), g(1.0)] == [2.0, 2.0]
    f.__code__ = (lambda x: x + 2.0).__code__
    assert g(1.0) == 3.0


def test_functions_among_the_arguments_are_watched():
    factor = [2.0]

    def times(x):
        return x * factor[0]

    g = dk.compile(lambda x, h: h(x) + 1.0)
    assert [g(1.0, times), g(1.0, times)] == [3.0, 3.0]
    factor[0] = 3.0
    assert [g(1.0, times), g(1.0, abs)] == [4.0, 2.0]


def test_new_rules_of_a_primitive_are_seen():
    @dk.primitive
    def cube(x):
        return x**3

    dk.defvjp(cube, lambda g, ans, x: g * 3.0 * x**2)
    gradient = dk.compile(dk.grad(lambda x: cube(x)))
    assert [gradient(2.0), gradient(2.0)] == [12.0, 12.0]
    dk.defvjp(cube, lambda g, ans, x: g * 0.0)
    assert gradient(2.0) == 0.0


counter = 0


def draws(x):
    return x * np.random.rand()  # noqa: NPY002


def draws_privately(x):
    return x * np.random.default_rng().normal()


generator = np.random.default_rng(0)


def draws_from_a_variable(x):
    return x * generator.normal()


def draws_python(x):
    return x * random.random()


def counts(x):
    global counter
    counter += 1
    return x + 1.0


def prints(x):
    print("called")
    return x + 1.0


def asks_for_the_time(x):
    return x + 0.0 * time.perf_counter()


def reads(x):
    with open(__file__) as file:
        return x * len(file.readline())


def gives_a_function(x):
    return lambda y: x * y


lines = iter("abc")


def reads_an_iterator(x):
    return x * len(next(lines))


def changes_what_it_used(x):
    buffer = np.zeros(2)
    y = x * buffer
    buffer[0] = 1.0
    return y + x * buffer


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (draws, "NumPy's global random generator"),
        (draws_privately, "random numbers"),
        (draws_from_a_variable, "changes the global variable 'generator'"),
        (draws_python, "Python's random generator"),
        (counts, "changes the global variable 'counter'"),
        (prints, "prints"),
        (asks_for_the_time, "asks for the time"),
        (reads, "opens a file"),
        (gives_a_function, "returned a function"),
        (reads_an_iterator, "used up"),
    ],
)
def test_refused_by_name(f, words):
    with pytest.raises(dk.TraceError, match=words):
        dk.compile(f)(2.0)


# -- keeping programs -------------------------------------------------------------------------------------


def test_the_least_recently_used_goes_first():
    g = dk.compile(lambda x, n: x * n, paths=2)
    g(1.0, 1)
    g(1.0, 2)
    g(1.0, 1)
    g(1.0, 3)  # 2 goes
    assert g.stats == (1, 3, 0, 2)
    g(1.0, 1)
    assert g.stats.hits == 2
    g(1.0, 2)
    assert g.stats.traced == 4
    g.clear()
    assert g.stats.paths == 0


def test_bad_input():
    with pytest.raises(dk.InputError, match="takes a function"):
        dk.compile(3.0)
    with pytest.raises(dk.InputError, match="at least 1"):
        dk.compile(np.sin, paths=0)
    with pytest.raises(dk.InputError, match="more than the 10"):
        dk.compile(dk.programs.logistic_map.with_(length=9), longest=10)(0.2)
    with pytest.raises(dk.InputError, match="none of the arguments"):
        dk.compile(lambda n: n + 1)(3)


def test_a_long_chain():
    def chain(x):
        for _ in range(20_000):
            x = x * 1.0000001 + 1e-9
        return x

    g = dk.compile(chain)
    assert_same(g(1.0), chain(1.0))
    assert_same(g(2.0), chain(2.0))
    assert g.stats.hits == 1


def test_it_is_a_function_like_the_one_it_was_made_of():
    def f(x):
        """Doubles."""
        return 2.0 * x

    g = dk.compile(f)
    assert isinstance(g, Compiled)
    assert (g.__name__, g.__doc__, g.function) == ("f", "Doubles.", f)
    g(1.0)
    assert "2.0 * x" in g.sources[0]
    assert repr(g) == "<compiled f: 1 programs>"
