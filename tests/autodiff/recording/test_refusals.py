"""What goes wrong, and what it says: each refusal names the line, and nothing is left behind."""

import copy
import gc
import math
import pickle
import statistics
import threading

import numpy as np
import pytest

import diffkit as dk
from diffkit.autodiff.recording.tracer import Node, Recording
from diffkit.errors import DomainError, InputError, NoRuleError, TraceError

HERE = r"test_refusals\.py:\d+: "
RNG = np.random.default_rng(0)
X = np.array([1.0, 2.0, 3.0])


# -- assignment -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [float, np.float32, complex, int, object])
def test_a_plain_array_given_a_traced_value(dtype):
    def f(x):
        a = np.zeros(3, dtype)
        a[0] = x
        return np.sum(a) * x

    if dtype is object:
        # Python objects in an array are computed with one by one, and a sum of them is a traced value.
        assert dk.grad(f)(2.0) == 4.0
    else:
        with pytest.raises(
            TraceError,
            match=r"into a plain array, .* \(" + HERE + r"a\[0\] = x\): make that array, of floats, with",
        ):
            dk.grad(f)(2.0)


def test_a_slice_of_a_plain_array_given_a_traced_value():
    def whole(x):
        a = np.zeros(3)
        a[:] = x
        return np.sum(a)

    def part(x):
        a = np.zeros((2, 3))
        a[1] = x
        return np.sum(a)

    def masked(x):
        a = np.zeros(3)
        a[a < 1] = x
        return np.sum(a)

    for f in (whole, part, masked):
        with pytest.raises(TraceError, match=HERE + r"a\[.*\] = x"):
            dk.grad(f)(X)


def test_a_plain_array_changed_in_place():
    def f(x):
        a = np.zeros(3)
        a += x
        return np.sum(a)

    with pytest.raises(
        TraceError, match=r"np.add was to write .* \(" + HERE + r"a \+= x\): make that array, of floats, with"
    ):
        dk.grad(f)(X)


BUFFER = dk.numpy.zeros(3)


def test_an_array_from_outside_the_function_is_told_from_one_of_its_own():
    """It may have been made with diffkit.numpy: what counts is that it was made before."""

    def f(x):
        BUFFER[:] = x
        return np.sum(BUFFER**2)

    with pytest.raises(TraceError, match=r"inside the function .* begin with a copy, dk.numpy.array\(a\)"):
        dk.grad(f)(X)

    def mended(x):
        buffer = dk.numpy.array(BUFFER)
        buffer[:] = x
        return np.sum(buffer**2)

    np.testing.assert_array_equal(dk.grad(mended)(X), 2 * X)


# -- conversions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: float(x), r"float\(\) .* called on a traced value"),
        (lambda x: complex(x), r"complex\(\) was called"),
        (lambda x: math.sin(x), r"np.sin for math.sin"),
        (lambda x: np.asarray(x), r"plain array"),
        (lambda x: np.array([x, 1.0]), r"np.stack, np.concatenate or dk.numpy.array"),
        (lambda x: np.array([[x, x], [1.0, 2.0]]), r"plain array"),
        (lambda x: np.float64(x), r"traced value"),
    ],
)
def test_conversions(f, message):
    with pytest.raises(TraceError, match=message) as caught:
        dk.grad(f)(2.0)
    assert "test_refusals.py:" in str(caught.value)


def test_the_users_line_is_named_in_nested_derivatives_too():
    def f(x):
        return math.sin(x)  # the line

    with pytest.raises(TraceError, match=HERE + r"return math.sin\(x\)"):
        dk.grad(dk.grad(f))(2.0)
    with pytest.raises(TraceError, match=HERE):
        dk.hessian(lambda x: np.sum(np.asarray(x)))(X)


def test_an_object_array_of_traced_values():
    def returned(x):
        a = np.empty(2, dtype=object)
        a[0] = a[1] = x
        return a

    with pytest.raises(TraceError, match="object array"):
        dk.jacobian(returned)(2.0)

    def called(x):
        a = np.empty(2, dtype=object)
        a[0] = a[1] = x
        return np.sum(np.sin(a))

    with pytest.raises(TraceError, match=r"object array of traced values \(" + HERE):
        dk.grad(called)(2.0)


def test_an_object_array_as_an_argument_or_a_constant():
    with pytest.raises(InputError, match="object array"):
        dk.grad(np.sum)(np.array([1.0, 2.0], dtype=object))
    with pytest.raises(TraceError, match=r"gave an object array \(" + HERE):
        dk.jacobian(lambda x: x * np.array([1.0, 2.0], dtype=object))(2.0)


def test_pickling_and_copying():
    with pytest.raises(TraceError, match="pickle"):
        dk.grad(lambda x: pickle.loads(pickle.dumps(x)))(2.0)
    assert dk.grad(lambda x: copy.deepcopy([x])[0] * copy.copy(x))(3.0) == 6.0


def test_showing_a_traced_value_is_no_conversion():
    shown = []

    def f(x):
        shown.append(f"{x} {x:.2f}")
        return x * x

    assert dk.grad(f)(3.0) == 6.0
    assert "3.00" in shown[0]


# -- functions and keywords -------------------------------------------------------------------------------


def test_a_function_without_a_rule():
    with pytest.raises(NoRuleError, match=r"np.setxor1d was called .* \(" + HERE):
        dk.grad(lambda x: np.sum(np.setxor1d(x, [3.0])))(X)
    with pytest.raises(NoRuleError, match=r"dk.primitive"):
        dk.grad(lambda x: np.sum(np.intersect1d(x, x)))(np.ones(2))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.add(x, 1.0, where=np.array([True, False, True]))),
        lambda x: np.sum(x, where=np.array([True, False, True])),
    ],
)
def test_where_without_out(f):
    with pytest.raises(TraceError, match=r"where= on traced values \(" + HERE):
        dk.grad(f)(X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.sin(x, out=np.zeros(3))),
        lambda x: np.sin(x, np.zeros(3)),
        lambda x: np.sum(x, out=np.zeros(())),
        lambda x: np.clip(x, 0.0, 2.5, np.zeros(3)),
        lambda x: np.concatenate([x], 0, np.zeros(3)),
        lambda x: np.stack([x], 0, np.zeros((1, 3))),
        lambda x: np.divide(x, 2.0, out=np.zeros(3), where=x > 1),
        lambda x: np.copyto(np.zeros(3), x),
        lambda x: np.put(np.zeros(3), [0], x[0]),
        lambda x: np.fill_diagonal(np.zeros((3, 3)), x),
        lambda x: np.add.at(np.zeros(3), [0, 0, 1], x),
    ],
)
def test_a_plain_array_to_write_traced_values_to(f):
    with pytest.raises(TraceError, match=r"plain array, .* \(" + HERE + ".*import diffkit.numpy as np"):
        dk.grad(f)(X)


# -- arguments and answers --------------------------------------------------------------------------------


def test_grad_of_something_else_than_a_number():
    with pytest.raises(InputError, match=r"one number as its answer, but <lambda> returned array \(3,\)"):
        dk.grad(lambda x: x * 2.0)(X)
    with pytest.raises(InputError, match="returned \\(float, float\\)"):
        dk.grad(lambda x: (x, x))(2.0)
    with pytest.raises(InputError, match="None"):
        dk.grad(lambda x: None)(2.0)
    with pytest.raises(InputError, match="real answer"):
        dk.grad(lambda x: x * 1j)(2.0)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (3, r"is the integer 3; .* write 3.0"),
        (np.array([1, 2]), r"dtype int64.*astype\(float\)"),
        ("text", "'text'"),
        (True, "True"),
        ([1.0, 2], r"x\[1\] of f is the integer 2"),
        ({"a": "b"}, r"x\['a'\] of f is 'b'"),
    ],
)
def test_arguments_that_are_no_floats(argument, message):
    def f(x):
        return 1.0

    with pytest.raises(InputError, match=message):
        dk.grad(f)(argument)


def test_argnum():
    def f(x):
        return x

    with pytest.raises(InputError, match="argnum is 2, but f"):
        dk.grad(f, 2)(1.0)
    with pytest.raises(InputError, match="int, or a tuple"):
        dk.grad(np.sin, "x")(1.0)
    with pytest.raises(
        InputError, match=r"0 positional arguments: give by position what you differentiate by"
    ):
        dk.grad(lambda x: x * x)(x=2.0)


# -- a trace that is over ---------------------------------------------------------------------------------


def test_a_leaked_value():
    kept = []
    dk.grad(lambda x: kept.append(x * 2.0) or x)(3.0)
    leaked = kept[0]
    for use in (
        lambda: leaked * 2.0,
        lambda: 2.0 * leaked,
        lambda: np.sin(leaked),
        lambda: -leaked,
        lambda: leaked > 1.0,
        lambda: bool(leaked),
        lambda: dk.grad(lambda y: y * leaked)(2.0),
        lambda: dk.grad(lambda y: leaked)(2.0),
        lambda: dk.trace(lambda y: {"y": y, "more": [leaked]})(2.0),
    ):
        with pytest.raises(TraceError, match="after the trace of <lambda> had closed"):
            use()


def test_a_value_of_an_inner_trace_used_in_the_outer():
    def f(x):
        kept = []
        dk.grad(lambda y: kept.append(y * x) or y)(2.0)
        return kept[0] * x

    with pytest.raises(TraceError, match="had closed"):
        dk.grad(f)(3.0)


def test_a_failure_leaves_nothing_behind():
    def fails(x):
        y = np.sin(x)
        if y < 2.0:
            raise KeyError("in the middle")
        return y

    with pytest.raises(KeyError):
        dk.grad(lambda x: dk.grad(fails)(x))(1.0)
    t = dk.trace(lambda x: x * x)(3.0)
    assert len(t) == 2
    assert t.nodes[1].index == 1
    assert dk.grad(dk.grad(lambda x: x**3))(2.0) == 12.0


def test_threads_do_not_mix():
    found = {}

    def work(k):
        def f(x):
            for _ in range(200):
                x = np.sin(x) + k * 0.001
            return x

        found[k] = (dk.grad(dk.grad(f))(0.5), f)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for second, f in found.values():
        assert second == dk.grad(dk.grad(f))(0.5)


# -- memory -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "derivative",
    [
        lambda: dk.grad(lambda x: np.sum(np.sin(x) * x))(X),
        lambda: dk.grad(dk.grad(lambda x: np.sin(x) * x))(1.0),
        lambda: dk.hessian(lambda x: np.sum(x**3))(X),
        lambda: dk.make_jvp(np.sin)(X)(X),
        lambda: dk.trace(lambda x: np.sum(x[0] * x))(X).adjoint(),
        lambda: dk.grad(lambda x: np.sum(dk.checkpoint(np.sin)(x)))(X),
        lambda: dk.grad(lambda x: x if x > 0 else -x)(1.0),
    ],
)
def test_no_reference_cycles_are_left(derivative):
    derivative()
    gc.collect()
    gc.disable()
    before = [o for o in gc.get_objects() if type(o) in (Node, Recording, dk.Trace)]
    try:
        derivative()
        assert [o for o in gc.get_objects() if type(o) in (Node, Recording, dk.Trace)] == before
    finally:
        gc.enable()


# -- derivatives that are not finite ----------------------------------------------------------------------


def test_the_where_trap():
    def f(x):
        root = np.sqrt(x)
        return np.sum(np.where(x > 0, root, 0.0))

    expected = r"derivative of sqrt by x = .* is nan at \[0\].*" + HERE + "root = np.sqrt"
    with np.errstate(all="ignore"):
        assert np.isnan(dk.grad(f)(np.array([0.0, 4.0]))[0])
        with pytest.raises(DomainError, match=expected):
            dk.grad(f, check="nan")(np.array([0.0, 4.0]))
    np.testing.assert_allclose(dk.grad(f, check="nan")(np.array([1.0, 4.0])), [0.5, 0.25])


def test_sqrt_at_zero():
    with pytest.raises(DomainError, match=r"derivative of sqrt by x = 0.0 is inf \(" + HERE):
        dk.value_and_grad(lambda x: np.sqrt(x), check="nan")(0.0)
    assert dk.value_and_grad(lambda x: np.sqrt(x), check="nan")(4.0) == (2.0, 0.25)


def test_a_value_that_is_not_finite():
    with pytest.raises(DomainError, match=r"log = -inf"), np.errstate(all="ignore"):
        dk.grad(lambda x: np.log(x) * x, check="nan")(0.0)


def test_an_unknown_check():
    with pytest.raises(InputError, match='check is "nan" or None'):
        dk.grad(np.sin, check="inf")


# -- changes in place ---------------------------------------------------------------------------------------


def _alias(x):
    y = x
    y += 1.0
    return np.sum(x * y)


def _view(x):
    y = x[1:]
    y *= 2.0
    return np.sum(x)


def _reshaped(x):
    y = np.reshape(x * 1.0, (3, 1))
    z = y.T
    z -= 1.0
    return np.sum(y)


def _in_a_list(x):
    parameters = [x * 1.0, x + 1.0]
    for p in parameters:
        p -= 0.1
    return np.sum(parameters[0])


def _normalize(v):
    v /= np.sum(v)


def _by_a_function(x):
    y = 2.0 * x
    _normalize(y)
    return np.sum(y**3)


def _collected(x):
    total, seen = np.zeros(3) * x, []
    for _ in range(2):
        total += x
        seen.append(total)
    return np.sum(seen[0])


def _seen_through_a_view(x):
    y = x * 1.0
    z = y[1:]
    y *= 2.0
    return np.sum(z)


def _two_views(x):
    y = x * 1.0
    y, z = y[1:], y[:-1]
    y *= 2.0
    return np.sum(z)


class _Model:
    def __init__(self, x):
        self.state = x * 1.0

    def step(self, x):
        self.state += x
        self.state *= 2.0


def _an_attribute(x):
    model = _Model(x)
    state = model.state
    state += x
    return np.sum(model.state * state)


def _a_history_of_an_attribute(x):
    model, history = _Model(x), []
    for _ in range(2):
        history.append(model.state)
        model.step(x)
    return np.sum(history[0])


@pytest.mark.parametrize(
    "f",
    [
        _alias,
        _view,
        _reshaped,
        _in_a_list,
        _by_a_function,
        _collected,
        _seen_through_a_view,
        _two_views,
        _an_attribute,
        _a_history_of_an_attribute,
    ],
)
def test_a_change_in_place_that_others_see(f):
    def plainly(x):
        return f(x.copy())

    expected = [(plainly(X + d) - plainly(X - d)) / 2e-5 for d in 1e-5 * np.eye(3)]
    given = X.copy()
    np.testing.assert_allclose(dk.grad(f)(given), expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(dk.jacobian(f, mode="forward")(given), expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(given, X)  # the caller's own is never changed
    dk.check_grads(plainly)(X)


def test_an_array_without_axes_is_changed_in_place_too():
    assert dk.grad(_alias)(np.array(2.0)) == 6.0  # (x + 1)^2
    assert dk.grad(_alias)(np.float64(2.0)) == dk.grad(_alias)(2.0) == 5.0  # x (x + 1): no number is changed


def _accumulated(x):
    total = 0.0
    for element in x:
        total += element**2
    return total


def _own_array(x):
    h = np.array([[1.0, 2.0, 3.0], [0.5, 1.0, 2.0]]) @ x
    h += 1.0
    h *= h
    h **= 2.0
    h /= 3.0
    h -= x[0]
    return np.sum(h)


def _in_a_dictionary(x):
    p = {"w": x * 2.0}
    p["w"] -= 0.5 * x
    p["w"] @= np.eye(3)
    return np.sum(p["w"] ** 2)


def _on_a_copy(x):
    y = x.copy()
    y += 1.0
    return np.sum(x * y)


def _shared_variable(x):
    y = 2.0 * x

    def step():
        nonlocal y
        y += x

    step()
    step()
    return np.sum(y**2)


def _even_and_odd(x):
    y = np.concatenate([x, x])
    even, odd = y[::2], y[1::2]
    y = None
    even *= 2.0
    return np.sum(even * odd)


def _own_attribute(x):
    model = _Model(x)
    for _ in range(2):
        model.step(x**2)
    return np.sum(model.state)


def _in_a_list_that_a_function_is_given(x):
    def step(state):
        state[0] += x
        state[0] *= x

    mine = [x * 1.0]
    step(mine)
    return np.sum(mine[0])


@pytest.mark.parametrize(
    "f",
    [
        _accumulated,
        _own_array,
        _in_a_dictionary,
        _on_a_copy,
        _shared_variable,
        _even_and_odd,
        _own_attribute,
        _in_a_list_that_a_function_is_given,
    ],
)
def test_a_change_in_place_that_nobody_else_sees(f):
    expected = [(f(X + d) - f(X - d)) / 2e-5 for d in 1e-5 * np.eye(3)]
    np.testing.assert_allclose(dk.grad(f)(X.copy()), expected, rtol=1e-6)
    dk.check_grads(f)(X)


# -- plain arrays and numbers: what was called is named ---------------------------------------------------


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: np.sum(np.array([x[0], x[1]])), r"^np\.array was to make .*: write dk\.numpy\.array"),
        (lambda x: np.sum([x[0], x[1]]), r"^np\.sum was given a list .*import diffkit\.numpy as np"),
        (lambda x: np.sum(np.full(3, x[0])), r"^np\.full was to make .*: write dk\.numpy\.full"),
        (lambda x: np.random.default_rng(0).normal(x[0]), r"^a traced value was to become|^np.random"),
        (lambda x: np.kaiser(4, x[0]), r"^np\.kaiser was given .* as a parameter"),
        (lambda x: np.float64(x[0]) ** 2, r"^np\.float64\(\) was called .*: leave it as it is"),
        (lambda x: np.sum(np.vectorize(abs)(x)), r"^np\.vectorize was given .*np\.stack\(\[f\(t\)"),
        (lambda x: np.random.normal(x[0], 1.0), r"^np\.random\.normal was given .*shift and scale"),  # noqa: NPY002
        (lambda x: np.sum(np.ones(2) * [x[0], x[1]]), r"^a traced value was to become a plain array"),
    ],
)
def test_plain_numbers_and_arrays_by_name(f, message):
    with pytest.raises(TraceError, match=message) as caught:
        dk.grad(f)(X)
    assert "test_refusals.py:" in str(caught.value)


def test_missing_attributes():
    with pytest.raises(AttributeError, match=r"no attribute 'valeus' \(" + HERE):
        dk.grad(lambda x: x.valeus)(X)
    with pytest.raises(AttributeError, match=r"no attribute 'tobytes' .* though an array has"):
        dk.grad(lambda x: x.tobytes())(X)
    assert dk.grad(lambda x: 0.0 if hasattr(x, "__array_interface__") else x[0])(X)[0] == 1.0


def test_lists_and_remainders():
    np.testing.assert_array_equal(dk.grad(lambda x: sum(x.tolist()))(X), np.ones(3))
    np.testing.assert_array_equal(
        dk.grad(lambda x: x.reshape(1, 3).tolist()[0][2] ** 2)(X), np.array([0.0, 0.0, 6.0])
    )
    for f in (lambda x: sum(divmod(x, 1.5)), lambda x: divmod(7.0, x)[1]):
        assert dk.grad(f)(2.2) == pytest.approx((f(2.2 + 1e-6) - f(2.2 - 1e-6)) / 2e-6, rel=1e-6)


def test_a_ufunc_of_ones_own():
    with pytest.raises(NoRuleError, match=r"^\w*double.* \(vectorized\) was called on a traced value"):
        dk.grad(lambda x: np.frompyfunc(_double, 1, 1)(x))(X)


def _double(v):
    return 2.0 * v


# -- whole numbers: they move in jumps, so the program may have them --------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda x: int(x) * x,
        lambda x: round(x) * x,
        lambda x: round(x, 1) * x,
        lambda x: math.floor(x) * x + math.ceil(x) * x + math.trunc(x) * x,
        lambda x: x ** int(np.round(x)),
        lambda x: np.int64(x) * x,
        lambda x: x * np.ones(int(x))[np.int64(x) - 1],
        lambda x: int(x > 1.0) * x + float(x > 1.0) * x,
    ],
)
def test_whole_numbers_are_decisions(f):
    x = 2.24
    for run in (dk.grad(f), dk.deriv(f), dk.compile(dk.grad(f))):
        assert run(x) == pytest.approx((f(x + 1e-6) - f(x - 1e-6)) / 2e-6, rel=1e-8)
    compiled = dk.compile(f)
    for point in (2.24, 3.7, 2.1, 3.3, 1.5):
        assert compiled(point) == f(point)
    assert dk.value_and_grad(f)(x)[0] == f(x)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: np.testing.assert_allclose(x, X), "compare outside the function"),
        (lambda x: sum(v for _, v in np.ndenumerate(x)), r"dk\.numpy\.ndenumerate"),
        (lambda x: np.sum(np.arange(0, x[0])), r"dk\.numpy\.arange"),
        (lambda x: np.polynomial.polynomial.polyval(2.0, x), r"np\.polyval"),
        (lambda x: np.sum([v * v for v in np.nditer([x])]), r"use operations on whole arrays, or a loop"),
        (lambda x: np.ma.masked_less(x, 1.0).sum(), r"use np\.where\(mask, x, 0\.0\), or a loop"),
        (lambda x: RNG.normal(x[0]), r"m \+ s \* np\.random\.normal\(\)"),
        (lambda x: dk.numpy.random.normal(x[0]), r"m \+ s \* np\.random\.normal\(\)"),
        (lambda x: statistics.mean([x[0], x[1]]), "traced value"),
    ],
)
def test_what_numpy_and_others_do_not_pass_on(f, message):
    with pytest.raises(TraceError, match=message) as caught:
        dk.grad(f)(X)
    assert "test_refusals.py:" in str(caught.value)


def test_a_callback_from_c_names_the_users_line():
    optimize = pytest.importorskip("scipy.optimize")
    with pytest.raises(TraceError, match=r"test_refusals\.py:.*brentq"):
        dk.grad(lambda x: optimize.brentq(lambda y: y - x, 0, 10))(2.0)


def test_an_error_that_comes_of_a_refusal_is_that_refusal():
    """C code that asks in vain for a float may go on with what it has, and complain of that."""

    def f(x):
        try:
            return float(x)
        except TypeError:
            raise ValueError("f(a) and f(b) must have different signs") from None

    with pytest.raises(TraceError, match=HERE + r"return float\(x\)"):
        dk.grad(f)(2.0)


def test_strides_of_a_traced_array_have_a_window_instead():
    with pytest.raises(TraceError, match=r"as_strided was given a traced array, .*sliding_window_view"):
        dk.grad(lambda x: np.sum(np.lib.stride_tricks.as_strided(x, (2, 2), (8, 8))))(X)


def test_a_third_argument_of_pow_is_pythons_error():
    with pytest.raises(TypeError, match="unless all arguments are integers"):
        dk.grad(lambda x: pow(x, 3, 5))(2.0)
