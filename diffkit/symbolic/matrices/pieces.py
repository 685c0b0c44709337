"""What each node contributes to the chain rule: its operands, and the table's two texts for each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy
from sympy import MatrixBase, MatrixSymbol, S
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagonalMatrix, DiagonalOf
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.errors import InputError, NoRuleError
from diffkit.expressions import intern
from diffkit.grammar import compile_text
from diffkit.matrix_calculus import MATRIX
from diffkit.symbolic.matrices import algebra
from diffkit.symbolic.matrices.algebra import is_scalar
from diffkit.symbolic.matrices.own_rules import OWN
from diffkit.symbolic.matrices.reading import read, shape_text
from diffkit.symbolic.matrices.scalars import atoms_of, log_det, scalar_partials, tidy
from diffkit.symbolic.sweeps import reverse_sweep


@dataclass(frozen=True, slots=True)
class Piece:
    """A node's part in the chain rule, by one of its operands.

    Attributes:
        operand: the operand.
        pull: from the node's adjoint, what it hands to the operand's.
        push: from the operand's differential, the term in the node's.
        rule: the rule's name.
    """

    operand: Any
    pull: Callable[[Any], Any]
    push: Callable[[Any], Any]
    rule: str


# -- reading the table --------------------------------------------------------------------------------


class _Operand:
    """A matrix expression with NumPy's operators: ``@`` the product, ``*`` elementwise or by a scalar."""

    __slots__ = ("e",)

    def __init__(self, e: Any) -> None:
        self.e = e

    def __matmul__(self, other: _Operand) -> _Operand:
        return _Operand(algebra.product(self.e, other.e))

    def __mul__(self, other: _Operand) -> _Operand:
        if is_scalar(self.e) or is_scalar(other.e):
            return _Operand(algebra.product(self.e, other.e))
        return _Operand(algebra.hadamard(self.e, other.e))

    def __neg__(self) -> _Operand:
        return _Operand(algebra.product(S.NegativeOne, self.e))


def _function(build: Callable[..., Any]) -> Callable[..., _Operand]:
    return lambda *args: _Operand(build(*[a.e for a in args]))


_NAMES: dict[str, Callable[..., _Operand]] = {
    "T": _function(algebra.transpose),
    "inv": _function(algebra.inverse),
    "det": _function(algebra.determinant),
    "trace": _function(algebra.trace),
    "inner": _function(lambda a, b: algebra.trace(algebra.product(algebra.transpose(a), b))),
    "eye": _function(lambda a: algebra.identity(algebra.shape(a)[0])),
    "diag": _function(algebra.diagonal_matrix),
    "diagonal": _function(algebra.diagonal_of),
}


@lru_cache
def _read_text(text: str, names: tuple[str, ...]) -> Callable[..., _Operand]:
    return compile_text(text, names, _NAMES)


def _by_table(name: str, k: int, operand: Any, ans: Any, *args: Any) -> Piece:
    """The piece that a line of the table gives for its k-th argument."""
    line = MATRIX[name]
    given = [_Operand(a) for a in (ans, *args)]
    change = f"d{line.arguments[k]}"
    backward = _read_text(line.vjps[k], ("g", "ans", *line.arguments))
    forward = _read_text(line.differentials[k], (change, "ans", *line.arguments))
    return Piece(
        operand,
        lambda g: backward(_Operand(g), *given).e,
        lambda d: forward(_Operand(d), *given).e,
        name,
    )


def _through(outer: Piece, inner: Piece) -> Piece:
    """Two rules after one another, as for a product of three."""
    return Piece(
        inner.operand,
        lambda g: inner.pull(outer.pull(g)),
        lambda d: outer.push(inner.push(d)),
        outer.rule,
    )


# -- the nodes ----------------------------------------------------------------------------------------


def pieces(e: Any) -> list[Piece]:
    """One piece per operand of a node; none of a leaf.

    Raises:
        NoRuleError: for a head without a rule.
    """
    if type(e) in OWN:
        return _own(e)
    if is_scalar(e):
        return _of_scalar(e)
    reading = _PIECES.get(type(e))
    if reading is not None:
        return reading(e)
    if isinstance(e, MatrixBase):
        return _explicit(e)
    if isinstance(e, MatrixSymbol | sympy.Identity | sympy.ZeroMatrix | sympy.OneMatrix):
        return []
    if isinstance(e, sympy.FunctionMatrix):
        return []
    raise NoRuleError(f"{type(e).__name__} has no rule among matrices, in {e}")


def _sum(e: Any) -> list[Piece]:
    return [Piece(a, lambda g: g, lambda d: d, "sum") for a in e.args]


def _product(e: Any) -> list[Piece]:
    coefficient, factors = algebra.coefficient_and_factors(e)
    found = []
    core = algebra.product(*factors) if coefficient is not S.One else e
    if coefficient.free_symbols:
        found.append(_by_table("scale", 0, coefficient, e, coefficient, core))
    scale = _by_table("scale", 1, core, e, coefficient, core)
    for k, factor in enumerate(factors):
        piece = _factor(factors, k, factor)
        found.append(piece if coefficient is S.One else _through(scale, piece))
    return found


def _factor(factors: list[Any], k: int, factor: Any) -> Piece:
    """L @ (X @ R), by X: the rule of a product, twice."""
    left, right = algebra.product(*factors[:k]), algebra.product(*factors[k + 1 :])
    inner = _by_table("matmul", 0, factor, None, factor, right)
    if not factors[k + 1 :]:
        inner = Piece(factor, lambda g: g, lambda d: d, "matmul")
    if not factors[:k]:
        return inner
    rest = algebra.product(factor, right)
    return _through(_by_table("matmul", 1, rest, None, left, rest), inner)


def _hadamard(e: Any) -> list[Piece]:
    found = []
    for k, factor in enumerate(e.args):
        others = algebra.hadamard(*e.args[:k], *e.args[k + 1 :])
        found.append(_by_table("hadamard", 0, factor, e, factor, others))
    return found


@lru_cache
def elementwise_derivative(body: Any) -> Any:
    """The derivative of a function of ``U``, tidied, and as a product where that is shorter."""
    plain = tidy(reverse_sweep([intern(body)], [intern(algebra.U)], [intern(S.One)])[0])
    if plain.count_ops() > 3 and not plain.has(sympy.Piecewise):
        plain = min(plain, sympy.factor(plain), key=lambda e: e.count_ops())
    return algebra.stable(plain)


def _elementwise(e: Any, body: Any, x: Any) -> list[Piece]:
    slope = algebra.apply(elementwise_derivative(body), x)
    found = [_by_table("hadamard", 0, x, e, x, slope)]
    found = [Piece(x, found[0].pull, found[0].push, "elementwise")]
    atoms = [a for a in atoms_of(body) if a is not algebra.U and a != algebra.U]
    for atom, partial in scalar_partials(body, atoms):
        by_scalar = algebra.apply(partial, x)
        found.append(_by_table("scale", 0, atom, e, atom, by_scalar))
    return found


def _applied(e: Any) -> list[Piece]:
    function = e.args[0]
    return _elementwise(e, function.expr.xreplace({function.variables[0]: algebra.U}), e.args[1])


def _no_rule_by(operand: Any, e: Any, push: Callable[[Any], Any] | None = None) -> Piece:
    """The piece of an operand that a node can't be differentiated by, or only by what is a number."""

    def refuse(_: Any) -> Any:
        raise NoRuleError(f"{e} has no rule for the derivative by {operand}, which is in {type(e).__name__}")

    return Piece(operand, refuse, push or refuse, "kronecker" if push else "none")


def _explicit(e: Any) -> list[Piece]:
    """A matrix that is written out, by what stands in its elements."""

    def by(atom: Any) -> Piece:
        slopes = [dict(scalar_partials(element, atoms_of(element))).get(atom, S.Zero) for element in e.flat()]
        slope = sympy.ImmutableDenseMatrix(*e.shape, slopes)
        backward, forward = _NAMES["inner"], algebra.product
        pull = lambda g: backward(_Operand(g), _Operand(slope)).e  # noqa: E731
        return Piece(atom, pull, lambda d: forward(d, slope), "elements")

    return [by(atom) for atom in dict.fromkeys(atom for element in e.flat() for atom in atoms_of(element))]


def _own(e: Any) -> list[Piece]:
    """By the rule that a user gave for the head."""
    rule, name = OWN[type(e)], type(e).__name__
    if len(e.args) != len(rule.vjps):
        raise NoRuleError(
            f"{name} has a rule for {len(rule.vjps)} argument{'s' * (len(rule.vjps) > 1)}, but is used with "
            f"{len(e.args)}"
        )

    def of(what: str, k: int, function: Callable[..., Any], like: Any) -> Callable[[Any], Any]:
        def apply(change: Any) -> Any:
            value = read(sympy.sympify(function(change, e, *e.args)))
            if algebra.shape(value) != algebra.shape(like):
                raise InputError(
                    f"the {what} of {name} by its argument number {k + 1} gave {shape_text(value)}, and that "
                    f"should have the shape of {shape_text(like)}"
                )
            return value

        return apply

    return [
        Piece(a, of("vjp", k, vjp, a), of("jvp", k, jvp, e), name) if vjp and jvp else _no_rule_by(a, e)
        for k, (a, vjp, jvp) in enumerate(zip(e.args, rule.vjps, rule.jvps, strict=True))
    ]


def _kronecker(e: Any) -> list[Piece]:
    """Its adjoint map is no formula in the matrices: it sums over blocks."""

    def changed(k: int) -> Callable[[Any], Any]:
        return lambda d: algebra.kronecker(*e.args[:k], d, *e.args[k + 1 :])

    return [_no_rule_by(a, e, changed(k)) for k, a in enumerate(e.args)]


def _power(e: Any) -> list[Piece]:
    base, exponent = e.base, e.exp
    if not exponent.is_number:
        return [_root_of_power(e, base, exponent), _no_rule_by(exponent, e)]
    if exponent.is_Integer and exponent < 0:
        return [
            _through(_root_of_power(e, algebra.inverse(base), -exponent), p)
            for p in pieces(algebra.inverse(base))
        ]
    return [_root_of_power(e, base, exponent)]


def _root_of_power(e: Any, base: Any, exponent: Any) -> Piece:
    def sandwiched(middle: Any, turn: Callable[[Any], Any]) -> Any:
        scalar, factors = algebra.coefficient_and_factors(middle)
        if len(factors) == 1 and isinstance(factors[0], sympy.Identity):  # it commutes with everything
            return algebra.product(scalar * exponent, turn(algebra.power(base, exponent - 1)))
        if not exponent.is_Integer:
            raise NoRuleError(
                f"the derivative of {e}, for an exponent that is no given integer, "
                "is a formula only under a trace"
            )
        order = range(int(exponent))
        if turn is algebra.transpose:
            terms = [
                algebra.product(
                    turn(algebra.power(base, S(k))), middle, turn(algebra.power(base, exponent - 1 - k))
                )
                for k in order
            ]
        else:
            terms = [
                algebra.product(algebra.power(base, S(k)), middle, algebra.power(base, exponent - 1 - k))
                for k in order
            ]
        return algebra.add(*terms)

    return Piece(
        base, lambda g: sandwiched(g, algebra.transpose), lambda d: sandwiched(d, lambda x: x), "power"
    )


def _diagonal_part(e: Any) -> list[Piece]:
    return [Piece(e.arg, algebra.diagonal_part, algebra.diagonal_part, "diagonal")]


_PIECES: dict[Any, Callable[[Any], list[Piece]]] = {
    sympy.MatAdd: _sum,
    sympy.MatMul: _product,
    sympy.HadamardProduct: _hadamard,
    sympy.HadamardPower: lambda e: _elementwise(e, algebra.U ** e.args[1], e.args[0]),
    ElementwiseApplyFunction: _applied,
    sympy.Transpose: lambda e: [_by_table("transpose", 0, e.arg, e, e.arg)],
    sympy.Inverse: lambda e: [_by_table("inv", 0, e.arg, e, e.arg)],
    sympy.MatPow: _power,
    sympy.DiagMatrix: lambda e: [_by_table("diag", 0, e.args[0], e, e.args[0])],
    DiagonalOf: lambda e: [_by_table("diagonal", 0, e.arg, e, e.arg)],
    DiagonalMatrix: _diagonal_part,
    sympy.KroneckerProduct: _kronecker,
}

# -- scalars ------------------------------------------------------------------------------------------


def _of_scalar(e: Any) -> list[Piece]:
    if isinstance(e, sympy.Symbol) or not e.args:
        return []
    inside = log_det(e)
    if inside is not None:
        return [_by_table("logdet", 0, inside, e, inside)]
    if isinstance(e, sympy.Trace):
        return [_by_table("trace", 0, e.arg, e, e.arg)]
    if isinstance(e, sympy.Determinant):
        return [_by_table("det", 0, e.arg, e, e.arg)]
    if isinstance(e, MatrixElement):
        unit = _unit(e)
        indices = [_no_rule_by(i, e) for i in e.indices if not i.is_number]
        return [_by_table("inner", 1, e.parent, e, unit, e.parent), *indices]
    return [
        Piece(a, _scaling(partial), _scaling(partial), "chain")
        for a, partial in scalar_partials(e, atoms_of(e))
    ]


def _scaling(partial: Any) -> Callable[[Any], Any]:
    return lambda g: algebra.product(g, partial)


def _unit(e: Any) -> Any:
    """The matrix with a 1 at the element's place."""
    i, j = sympy.symbols("i j", integer=True, cls=sympy.Dummy)
    at = sympy.KroneckerDelta(i, e.i) * sympy.KroneckerDelta(j, e.j)
    return sympy.FunctionMatrix(*e.parent.shape, sympy.Lambda((i, j), at))
