"""SymPy's own tests of differentiation, run from where SymPy is installed, with diffkit asked as well.

While a test function of SymPy runs, the calls of ``diff`` and ``jacobian`` that stand in it are noted, with
what SymPy answered; then diffkit is asked the same, and the answers are compared.
"""

import importlib
import inspect
import random
import sys
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field

import sympy
from sympy import I, N, Rational, S
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.matrices.matrixbase import MatrixBase

from diffkit import symbolic
from diffkit.errors import DiffkitError
from diffkit.time_limit import BudgetError, within

SECONDS = 3.0  # for each of SymPy's test functions, and for each comparison


@dataclass
class Call:
    """One differentiation in SymPy's tests."""

    method: str
    expr: object
    args: tuple
    answer: object
    where: str


@dataclass
class Verdicts:
    """What came of the calls, and the refusals by what they say."""

    same: int = 0
    equal: int = 0
    refused: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    failed: list = field(default_factory=list)
    undecided: list = field(default_factory=list)

    @property
    def calls(self):
        return self.same + self.equal + sum(map(len, (self.refused, self.wrong, self.failed, self.undecided)))


def _names(code):
    inner = [_names(c) for c in code.co_consts if inspect.iscode(c)]
    return set(code.co_names).union(*inner)


@contextmanager
def noted(calls, where):
    """Notes the calls of the methods from a test of SymPy, directly or by ``sympy.diff``."""
    methods = [
        (sympy.Expr, "diff"),
        (MatrixBase, "diff"),
        (MatrixBase, "jacobian"),
        (sympy.NDimArray, "diff"),
    ]
    before = [(cls, name, vars(cls).get(name)) for cls, name in methods]

    def noting(cls, name):
        original = getattr(cls, name)

        def method(self, *args, **options):
            answer = original(self, *args, **options)
            frame = sys._getframe(1)
            if frame.f_code.co_name == "diff":  # the function, which calls the method
                frame = frame.f_back
            if "/tests/" in frame.f_code.co_filename.replace("\\", "/") and not options:
                calls.append(Call(name, self, args, answer, where[0]))
            return answer

        return method

    for cls, name in methods:
        setattr(cls, name, noting(cls, name))
    try:
        yield
    finally:
        for cls, name, original in before:
            setattr(cls, name, original) if original is not None else delattr(cls, name)


def calls_of(modules):
    """The calls in those test functions of some of SymPy's test modules that differentiate."""
    calls, where = [], [""]
    for name in modules:
        module = importlib.import_module(f"sympy.{name}")
        tests = [f for k, f in vars(module).items() if k.startswith("test") and inspect.isfunction(f)]
        for test in tests:
            if hasattr(test, "__wrapped__") or not _names(test.__code__) & {"diff", "jacobian"}:
                continue
            where[0] = f"{name.rpartition('.')[2]}.{test.__name__}"
            with noted(calls, where), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    within(SECONDS, test, "a test of SymPy", worked=True)
                except Exception:  # whatever it is, the calls up to there are noted
                    continue
    return calls


def judge(calls):
    """What diffkit answers to the same calls."""
    verdicts = Verdicts()
    for call in calls:
        try:
            ask = symbolic.jacobian if call.method == "jacobian" else symbolic.diff
            exprs = list(call.expr) if call.method == "jacobian" else call.expr
            args = [list(a) if isinstance(a, MatrixBase) else a for a in call.args]
            ours = ask(exprs, *args)
        except DiffkitError as error:
            verdicts.refused.append((call, str(error)))
            continue
        except Exception as error:  # that is a finding
            verdicts.failed.append((call, repr(error)))
            continue
        try:
            verdict = within(SECONDS, lambda: _compared(ours, call.answer), "comparing", worked=True)  # noqa: B023
        except (BudgetError, Exception):
            verdict = "undecided"
        if verdict in ("same", "equal"):
            setattr(verdicts, verdict, getattr(verdicts, verdict) + 1)
        else:
            getattr(verdicts, verdict).append((call, str(ours)))
    return verdicts


def _compared(ours, theirs):
    if isinstance(theirs, sympy.MutableDenseNDimArray | sympy.MutableSparseNDimArray):
        theirs = theirs.as_immutable()
    ours, theirs = _without_dummies(ours), _without_dummies(theirs)
    if any(isinstance(e, sympy.MatrixExpr) or e.atoms(sympy.MatrixSymbol) for e in (ours, theirs)):
        return _compared_matrices(ours, theirs)
    if ours == theirs:
        return "same"
    several = isinstance(theirs, MatrixBase | sympy.NDimArray)
    pairs = zip(sympy.flatten(ours), sympy.flatten(theirs), strict=True) if several else [(ours, theirs)]
    found = {_compared_values(sympy.sympify(a), sympy.sympify(b)) for a, b in pairs}
    return next(v for v in ("wrong", "undecided", "equal") if v in found)


def _compared_matrices(ours, theirs):
    """Formulas in matrices, each put in as numbers: three by three where the size is a letter.

    SymPy's derivative of a vector by a vector has the axes of what it differentiates by first.
    """
    if ours == theirs:
        return "same"
    first, second = (_numbers_put_in(e) for e in (ours, theirs))
    for one in (first, first.T):
        if one.shape == second.shape:
            off = max(abs(N(e, 25)) for e in one - second)
            if off < 1e-9 * max(1, *(abs(N(e, 25)) for e in [*second, 1])):
                return "equal"
    return "wrong"


def _numbers_put_in(expr):
    sizes = {s for a in expr.atoms(sympy.MatrixSymbol) for n in a.shape for s in n.free_symbols}
    expr = expr.xreplace(dict.fromkeys(sizes, S(3)))
    of_indices = {s for e in expr.atoms(MatrixElement, sympy.KroneckerDelta) for s in e.free_symbols}
    expr = expr.subs({s: 1 for s in of_indices & expr.free_symbols if s.is_Symbol}).doit()
    expr = expr.xreplace({a: _random_matrix(a) for a in expr.atoms(sympy.MatrixSymbol)}).doit()
    expr = expr.as_explicit() if hasattr(expr, "as_explicit") else expr
    expr = sympy.Matrix(list(expr)) if isinstance(expr, sympy.NDimArray) else expr
    expr = expr.subs(_point(expr.free_symbols, 0)).doit()
    return expr if isinstance(expr, MatrixBase) else sympy.Matrix([[expr]])


def _random_matrix(symbol):
    random_ = random.Random(symbol.name)
    rows, columns = map(int, symbol.shape)
    return sympy.ImmutableMatrix(rows, columns, lambda *_: Rational(random_.randint(1, 40), 20))


def _without_dummies(expr):
    """With one name for each dummy of a name, which SymPy makes anew each time."""
    return expr.xreplace({d: sympy.Symbol(f"_{d.name}") for d in expr.atoms(sympy.Dummy)})


def _compared_values(ours, theirs):
    try:
        if ours == theirs or sympy.expand((ours - theirs).doit()) == 0:
            return "equal"
    except (RecursionError, ValueError, TypeError):
        pass
    difference, size = _concrete(ours - theirs), _concrete(theirs)
    decided = False
    for seed in range(3):
        at = _point(difference.free_symbols | size.free_symbols, seed)
        value, scale = (N(e.subs(at).doit(), 25) for e in (difference, size))
        if not value.is_number or value.has(S.NaN, S.ComplexInfinity, S.Infinity):
            continue
        decided = True
        if abs(value) > 1e-9 * max(1, abs(scale)):
            return "wrong"
    return "equal" if decided else "undecided"


def _concrete(expr):
    """With functions in the place of undefined ones."""
    for _ in range(3):
        for head in {a.func for a in expr.atoms(AppliedUndef)}:
            random_ = random.Random(str(head))
            c = [Rational(random_.randint(1, 9), 7) for _ in range(6)]
            expr = expr.replace(
                head, lambda *a, c=c: sympy.sin(sum(k * u for k, u in zip(c, a, strict=False)) + c[5])
            )
        expr = expr.doit()
    return expr


def _point(symbols, seed):
    random_ = random.Random(seed)
    values = {}
    for s in sorted(symbols, key=str):
        value = S(random_.randint(2, 4)) if s.is_integer else Rational(random_.randint(20, 90), 100)
        value = -value if s.is_negative else I * value if s.is_imaginary else value
        if s.is_complex and s.is_real is None and not s.is_imaginary:
            value += I * Rational(random_.randint(1, 9), 17)
        values[s] = value
    return values
