"""The table of elementary derivatives: the one place where the calculus is written down.

Each line says, as text, what a function is and what its partial derivatives are::

    _line("tanh(x)", "1 - ans**2")
    _line("multiply(x, y)", "y", "x", form="x * y")

Three readers share it. Symbolic differentiation reads a text as a SymPy expression, tracing reads
it as a NumPy function that serves forward and reverse mode alike, and the drawings print it on an
edge. So a mistake in a line is a mistake in all three, and "symbolic and automatic differentiation
are the same chain rule" is something that the code itself says.

The grammar of a text is a small part of Python's: the arguments' names, ``ans`` for the function's
own value (there where it is the stabler or cheaper form), numbers, ``pi``, the operators
``+ - * / **``, and calls of functions that are lines of this table or one of three helpers:

``above(x, y)``
    1 where x > y, 0 where x < y, and 1/2 where they are equal: the derivative of max(x, y), which
    shares a tie evenly (a valid subgradient, and the mean of the one-sided derivatives).
``where(c, a, b)``
    a where c is not zero, else b. It and the next occur only in the ``stable`` forms, which the
    numerical readers prefer; SymPy reads the plain ones.
``lowered(x, y)``
    x**(y - 1), to be multiplied by y: plain x for the square, and no division by zero where y is 0.

>>> ELEMENTARY["tanh"].partials
('1 - ans**2',)
>>> ELEMENTARY["divide"].chained(1, "g")  # the cotangent g times d(x/y)/dy, written out
'-(g * ans) / y'
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from diffkit.grammar import chain

__all__ = ["ALIASES", "ELEMENTARY", "SPECIAL", "Elementary"]


def __dir__() -> list[str]:
    return __all__


@dataclass(frozen=True, slots=True)
class Elementary:
    """One line of the table: an elementary function and its partial derivatives, as text.

    Attributes:
        name: NumPy's (or scipy.special's) name of the function; SymPy's where NumPy has none.
        arguments: the arguments' names, in order.
        form: the function as a SymPy expression would write it.
        partials: one text per argument, its partial derivative.
        stable: the same derivatives in the form that the numerical readers use, which differs
            from ``partials`` only where that form would meet 0 * inf, as in d(x**y) at x = 0.
        numpy: whether NumPy or scipy.special has the function; else only SymPy does.
        convention: what the line says at points where there is no derivative; "" if there are none.
        kink: a text that is true at those points; "" if there are none.
    """

    name: str
    arguments: tuple[str, ...]
    form: str
    partials: tuple[str, ...]
    stable: tuple[str, ...]
    numpy: bool = True
    convention: str = ""
    kink: str = ""

    @property
    def piecewise_constant(self) -> bool:
        """Whether every derivative is zero wherever it exists (sign, floor, ...)."""
        return all(text == "0" for text in self.partials)

    @property
    def head(self) -> str | None:
        """The name of the SymPy function, if ``form`` is one call on the arguments, else None.

        >>> ELEMENTARY["arcsin"].head, ELEMENTARY["log2"].head
        ('asin', None)
        """
        tree = ast.parse(self.form, mode="eval").body
        if isinstance(tree, ast.Call) and [ast.unparse(a) for a in tree.args] == list(self.arguments):
            return ast.unparse(tree.func)
        return None

    def chained(self, k: int, factor: str) -> str:
        """The text of ``factor`` times the k-th partial: a term of the chain rule.

        ``factor`` is a tangent or a cotangent; both modes, and the symbolic reader, apply the
        same text, so they do the same operations in the same order.

        >>> ELEMENTARY["sin"].chained(0, "t"), ELEMENTARY["subtract"].chained(1, "g")
        ('t * cos(x)', '-g')
        """
        return chain(factor, self.partials[k])


def _line(
    call: str,
    *partials: str,
    form: str | None = None,
    stable: Sequence[str] | None = None,
    numpy: bool = True,
    convention: str = "",
    kink: str = "",
) -> Elementary:
    tree = ast.parse(call, mode="eval").body
    assert isinstance(tree, ast.Call)
    arguments = tuple(ast.unparse(a) for a in tree.args)
    assert len(partials) == len(arguments), call
    return Elementary(
        name=ast.unparse(tree.func),
        arguments=arguments,
        form=form or call,
        partials=partials,
        stable=tuple(stable or partials),
        numpy=numpy,
        convention=convention,
        kink=kink,
    )


# fmt: off
_TABLE = [
    # -- arithmetic ---------------------------------------------------------------------------------
    _line("positive(x)",     "1",                                     form="x"),
    _line("negative(x)",     "-1",                                    form="-x"),
    _line("add(x, y)",       "1", "1",                                form="x + y"),
    _line("subtract(x, y)",  "1", "-1",                               form="x - y"),
    _line("multiply(x, y)",  "y", "x",                                form="x * y"),
    _line("divide(x, y)",    "1 / y", "-ans / y",                     form="x / y"),
    _line("reciprocal(x)",   "-ans**2",                               form="1 / x"),
    _line("square(x)",       "2 * x",                                 form="x**2"),
    _line("power(x, y)",     "y * x**(y - 1)", "log(x) * ans",        form="x**y",
          stable=("y * lowered(x, y)", "log(where(x, x, 1)) * ans"),
          convention="At x = 0 the derivative by y is 0, the limit for y > 0."),
    _line("sqrt(x)",         "1 / (2 * ans)",                         form="sqrt(x)"),
    _line("cbrt(x)",         "1 / (3 * ans**2)",                      form="cbrt(x)"),
    _line("hypot(x, y)",     "x / ans", "y / ans",                    form="sqrt(x**2 + y**2)"),
    # -- exponentials and logarithms ----------------------------------------------------------------
    _line("exp(x)",          "ans"),
    _line("exp2(x)",         "ans * log(2)",                          form="2**x"),
    _line("expm1(x)",        "ans + 1",                               form="exp(x) - 1"),
    _line("log(x)",          "1 / x"),
    _line("log2(x)",         "1 / (x * log(2))",                      form="log(x) / log(2)"),
    _line("log10(x)",        "1 / (x * log(10))",                     form="log(x) / log(10)"),
    _line("log1p(x)",        "1 / (1 + x)",                           form="log(1 + x)"),
    _line("logaddexp(x, y)", "exp(x - ans)", "exp(y - ans)",          form="log(exp(x) + exp(y))"),
    _line("logaddexp2(x, y)", "2**(x - ans)", "2**(y - ans)",         form="log(2**x + 2**y) / log(2)"),
    _line("expit(x)",        "ans * (1 - ans)",                       form="1 / (1 + exp(-x))"),
    _line("logit(x)",        "1 / (x * (1 - x))",                     form="log(x / (1 - x))"),
    # -- trigonometric ------------------------------------------------------------------------------
    _line("sin(x)",          "cos(x)"),
    _line("cos(x)",          "-sin(x)"),
    _line("tan(x)",          "1 + ans**2"),
    _line("cot(x)",          "-(1 + ans**2)",                         numpy=False),
    _line("sec(x)",          "ans * tan(x)",                          numpy=False),
    _line("csc(x)",          "-ans * cot(x)",                         numpy=False),
    _line("arcsin(x)",       "1 / sqrt(1 - x**2)",                    form="asin(x)"),
    _line("arccos(x)",       "-1 / sqrt(1 - x**2)",                   form="acos(x)"),
    _line("arctan(x)",       "1 / (1 + x**2)",                        form="atan(x)"),
    _line("acot(x)",         "-1 / (1 + x**2)",                       numpy=False),
    _line("asec(x)",         "1 / (x**2 * sqrt(1 - 1 / x**2))",       numpy=False),
    _line("acsc(x)",         "-1 / (x**2 * sqrt(1 - 1 / x**2))",      numpy=False),
    _line("arctan2(y, x)",   "x / (x**2 + y**2)", "-y / (x**2 + y**2)", form="atan2(y, x)"),
    _line("deg2rad(x)",      "pi / 180",                              form="pi / 180 * x"),
    _line("rad2deg(x)",      "180 / pi",                              form="180 / pi * x"),
    # -- hyperbolic ---------------------------------------------------------------------------------
    _line("sinh(x)",         "cosh(x)"),
    _line("cosh(x)",         "sinh(x)"),
    _line("tanh(x)",         "1 - ans**2"),
    _line("coth(x)",         "1 - ans**2",                            numpy=False),
    _line("sech(x)",         "-ans * tanh(x)",                        numpy=False),
    _line("csch(x)",         "-ans * coth(x)",                        numpy=False),
    _line("arcsinh(x)",      "1 / sqrt(x**2 + 1)",                    form="asinh(x)"),
    _line("arccosh(x)",      "1 / (sqrt(x - 1) * sqrt(x + 1))",       form="acosh(x)"),
    _line("arctanh(x)",      "1 / (1 - x**2)",                        form="atanh(x)"),
    _line("acoth(x)",        "1 / (1 - x**2)",                        numpy=False),
    _line("asech(x)",        "-1 / (x * sqrt(1 - x**2))",             numpy=False),
    _line("acsch(x)",        "-1 / (x**2 * sqrt(1 + 1 / x**2))",      numpy=False),
    # -- kinks and steps ----------------------------------------------------------------------------
    _line("absolute(x)",     "sign(x)",                               form="Abs(x)",
          kink="x == 0", convention="0 at x = 0, the middle of the subgradients -1 to 1."),
    _line("maximum(x, y)",   "above(x, y)", "above(y, x)",            form="Max(x, y)",
          kink="x == y", convention="1/2 each at a tie."),
    _line("minimum(x, y)",   "above(y, x)", "above(x, y)",            form="Min(x, y)",
          kink="x == y", convention="1/2 each at a tie."),
    _line("sign(x)",         "0",
          kink="x == 0", convention="0 at the jump."),
    _line("floor(x)",        "0",
          kink="x == floor(x)", convention="0 at the jumps."),
    _line("ceil(x)",         "0",                                     form="ceiling(x)",
          kink="x == floor(x)", convention="0 at the jumps."),
    _line("heaviside(x, y)", "0", "where(x, 0, 1)",                   form="Heaviside(x, y)",
          kink="x == 0", convention="0 at the jump."),
    _line("remainder(x, y)", "1", "-floor(x / y)",                    form="x - y * floor(x / y)",
          kink="remainder(x, y) == 0", convention="The derivative from the right at the jumps."),
    _line("copysign(x, y)",  "sign(x) * sign(y)", "0",                form="Abs(x) * sign(y)",
          stable=("sign(x) * copysign(1.0, y)", "0"),
          kink="x == 0", convention="0 at x = 0."),
    # -- special functions --------------------------------------------------------------------------
    _line("erf(x)",          "2 / sqrt(pi) * exp(-x**2)"),
    _line("erfc(x)",         "-2 / sqrt(pi) * exp(-x**2)"),
    _line("gamma(x)",        "ans * digamma(x)"),
    _line("gammaln(x)",      "digamma(x)",                            form="loggamma(x)"),
    _line("digamma(x)",      "polygamma(1, x)"),
]

# Special functions that only tracing differentiates; those with a form are expressions of other functions
# to SymPy. A partial derivative "" has no closed form, and asking for it raises: by the orders n, s and the
# shapes a, b of incomplete integrals.
_SPECIAL = [
    # -- error functions and the normal distribution --------------------------------------------------
    _line("erfcx(x)",          "2 * x * ans - 2 / sqrt(pi)",
          form="exp(x**2) * erfc(x)"),
    _line("erfi(x)",           "2 / sqrt(pi) * exp(x**2)"),
    _line("dawsn(x)",          "1 - 2 * x * ans",
          form="sqrt(pi) / 2 * exp(-x**2) * erfi(x)"),
    _line("erfinv(x)",         "sqrt(pi) / 2 * exp(ans**2)"),
    _line("erfcinv(x)",        "-(sqrt(pi) / 2) * exp(ans**2)"),
    _line("ndtr(x)",           "exp(-x**2 / 2) / sqrt(2 * pi)",
          form="(1 + erf(x / sqrt(2))) / 2"),
    _line("ndtri(x)",          "sqrt(2 * pi) * exp(ans**2 / 2)",
          form="sqrt(2) * erfinv(2 * x - 1)"),
    _line("log_ndtr(x)",       "exp(-x**2 / 2 - ans) / sqrt(2 * pi)",
          form="log((1 + erf(x / sqrt(2))) / 2)",
          stable=("sqrt(2 / pi) / erfcx(-x / sqrt(2))",)),
    # -- logarithms and entropies ---------------------------------------------------------------------
    _line("log_expit(x)",      "expit(-x)",
          form="-log(1 + exp(-x))"),
    _line("xlogy(x, y)",       "log(y)", "x / y",
          form="x * log(y)",
          stable=("log(where(x, y, where(y, y, 1)))", "x / where(x, y, where(y, y, 1))"),
          convention="0 at x = y = 0."),
    _line("xlog1py(x, y)",     "log1p(y)", "x / (1 + y)",
          form="x * log(1 + y)"),
    _line("entr(x)",           "-log(x) - 1",
          form="-x * log(x)"),
    _line("rel_entr(x, y)",    "log(x / y) + 1", "-x / y",
          form="x * log(x / y)"),
    _line("kl_div(x, y)",      "log(x / y)", "1 - x / y",
          form="x * log(x / y) - x + y"),
    # -- gamma, beta and zeta functions ---------------------------------------------------------------
    _line("rgamma(x)",         "-ans * digamma(x)",
          form="1 / gamma(x)"),
    _line("gammasgn(x)",       "0",                                   convention="0 at the jumps."),
    _line("polygamma(n, x)",   "", "polygamma(n + 1, x)"),
    _line("zeta(s, x)",        "", "-s * zeta(s + 1, x)"),
    _line("gammainc(a, x)",    "", "x**(a - 1) * exp(-x) / gamma(a)",
          stable=("", "exp(xlogy(a - 1, x) - x - gammaln(a))")),
    _line("gammaincc(a, x)",   "", "-(x**(a - 1) * exp(-x) / gamma(a))",
          stable=("", "-exp(xlogy(a - 1, x) - x - gammaln(a))")),
    _line("beta(a, b)",        "ans * (digamma(a) - digamma(a + b))", "ans * (digamma(b) - digamma(a + b))",
          form="gamma(a) * gamma(b) / gamma(a + b)"),
    _line("betaln(a, b)",      "digamma(a) - digamma(a + b)", "digamma(b) - digamma(a + b)",
          form="loggamma(a) + loggamma(b) - loggamma(a + b)"),
    _line("betainc(a, b, x)",  "", "", "x**(a - 1) * (1 - x)**(b - 1) / beta(a, b)",
          stable=("", "", "exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b))")),
    # -- Bessel functions, by x; the order n is constant ----------------------------------------------
    _line("j0(x)",             "-j1(x)"),
    _line("j1(x)",             "(j0(x) - jv(2, x)) / 2"),
    _line("jv(n, x)",          "", "(jv(n - 1, x) - jv(n + 1, x)) / 2"),
    _line("y0(x)",             "-y1(x)"),
    _line("y1(x)",             "(y0(x) - yv(2, x)) / 2"),
    _line("yn(n, x)",          "", "(yv(n - 1, x) - yv(n + 1, x)) / 2"),
    _line("yv(n, x)",          "", "(yv(n - 1, x) - yv(n + 1, x)) / 2"),
    _line("i0(x)",             "i1(x)"),
    _line("i1(x)",             "(i0(x) + iv(2, x)) / 2"),
    _line("i0e(x)",            "i1e(x) - sign(x) * ans"),
    _line("i1e(x)",            "(i0e(x) + ive(2, x)) / 2 - sign(x) * ans"),
    _line("iv(n, x)",          "", "(iv(n - 1, x) + iv(n + 1, x)) / 2"),
    _line("ive(n, x)",         "", "(ive(n - 1, x) + ive(n + 1, x)) / 2 - sign(x) * ans"),
    _line("k0(x)",             "-k1(x)"),
    _line("k1(x)",             "-(k0(x) + kv(2, x)) / 2"),
    _line("kv(n, x)",          "", "-(kv(n - 1, x) + kv(n + 1, x)) / 2"),
    _line("kve(n, x)",         "", "ans - (kve(n - 1, x) + kve(n + 1, x)) / 2"),
    # -- integrals ------------------------------------------------------------------------------------
    _line("exp1(x)",           "-exp(-x) / x"),
    _line("expi(x)",           "exp(x) / x"),
    _line("spence(x)",         "log(x) / (1 - x)"),
    _line("ellipk(m)",         "(ellipe(m) / (1 - m) - ans) / (2 * m)"),
    _line("ellipe(m)",         "(ans - ellipk(m)) / (2 * m)"),
]
# fmt: on

ELEMENTARY: dict[str, Elementary] = {line.name: line for line in _TABLE}
"""The table, by the functions' names in NumPy (or scipy.special)."""

SPECIAL: dict[str, Elementary] = {line.name: line for line in _SPECIAL}
"""The functions of scipy.special that only tracing reads, by name."""

ALIASES: dict[str, str] = {
    "abs": "absolute",
    "fabs": "absolute",
    "acos": "arccos",
    "acosh": "arccosh",
    "asin": "arcsin",
    "asinh": "arcsinh",
    "atan": "arctan",
    "atan2": "arctan2",
    "atanh": "arctanh",
    "degrees": "rad2deg",
    "float_power": "power",
    "fmax": "maximum",
    "fmin": "minimum",
    "loggamma": "gammaln",
    "mod": "remainder",
    "pow": "power",
    "psi": "digamma",
    "radians": "deg2rad",
    "true_divide": "divide",
}
"""Other names of the same functions; each shares its line."""
