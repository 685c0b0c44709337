"""An expression as lines of Python: what :mod:`diffkit.symbolic.code.straight_line` prints and runs."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy
from sympy import S

from diffkit.errors import InputError
from diffkit.expressions import Expression, intern, short
from diffkit.symbolic.code.matrix_products import MatrixRow, rows_of_matrices
from diffkit.symbolic.values.arithmetics import NUMPY, float_of
from diffkit.symbolic.values.prerequisites import ELEMENTS, RANGES, Loops, operands_first, parts

# How tightly a piece of text binds, as in Python.
_COMPARE, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(6)

_WIDTH = 90  # a longer line is broken by naming a part of it
_NEST = 40  # parentheses within parentheses; Python's parser allows 200
_LOOPS = 90  # Sums within Sums; Python allows a hundred levels of indentation
_LONGEST = 1000  # bits of an integer that is written out; a longer one is a float, or inf
_TERMS = 40  # of a sum or product on one line: Python compiles longer ones by recursion

_RELATIONS = {
    sympy.StrictLessThan: "<",
    sympy.LessThan: "<=",
    sympy.StrictGreaterThan: ">",
    sympy.GreaterThan: ">=",
    sympy.Equality: "==",
    sympy.Unequality: "!=",
}
_NAMED_NUMBERS = {S.Pi: "pi", S.Exp1: "e", S.Infinity: "inf", S.NaN: "nan"}


_WORDS = {"times", "integers", "sum", "prod", "pow", *_NAMED_NUMBERS.values()}  # what programs call by name


class Text:
    """A piece of Python, how tightly it binds, and how deeply it nests."""

    __slots__ = ("binds", "nest", "text")

    def __init__(self, text: str, binds: int = _ATOM, nest: int = 0) -> None:
        self.text, self.binds, self.nest = text, binds, nest

    def within(self, level: int) -> str:
        """The text as an operand that has to bind at least as tightly as ``level``."""
        return self.text if self.binds >= level else f"({self.text})"


class Names:
    """Names for the parts of a program, none of them used twice."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken) | set(NUMPY) | _WORDS | set(keyword.kwlist)
        self.next: Counter[str] = Counter()

    def fresh(self, stem: str) -> str:
        while True:
            self.next[stem] += 1
            name = f"{stem}{self.next[stem]}"
            if name not in self.taken:
                return name

    def like(self, symbol: Any) -> str:
        """A name for a symbol: its own where Python allows that."""
        name = re.sub(r"\W+", "_", str(symbol)).strip("_") or "x"
        if name[0].isdigit():
            name = f"x{name}"
        if name in self.taken:
            name = self.fresh(f"{name}_")
        self.taken.add(name)
        return name


class Writer:
    """Writes the program of one function body; a Sum within it has a body, and a writer, of its own."""

    def __init__(
        self,
        names: Names,
        known: Mapping[int, Text],
        heads: dict[str, Any],
        matrices: dict[str, Any] | None = None,
    ) -> None:
        self.names = names
        self.texts = dict(known)
        self.heads = heads  # the SymPy functions that occur, by name
        self.matrices = matrices  # those of constants, by name; None to write every sum out
        self.loops: Loops | None = None
        self.depth = self.levels = 0  # of the loops that this body is in; of the Sums of one term as well
        self.rows: dict[int, MatrixRow] = {}
        self.lines: list[str] = []

    def write(self, roots: Sequence[Expression]) -> list[Text]:
        """The roots' texts; the lines before them are added to ``lines``."""
        if self.matrices is not None:
            self.rows = rows_of_matrices(roots)
        if self.loops is None:
            self.loops = Loops(roots)
        order = operands_first(roots, self.texts, self._parts)
        uses = Counter(id(a) for node in order for a in self._parts(node))
        uses.update(id(r) for r in roots)
        for node in order:
            text = self._text(node)
            shared = uses[id(node)] > 1 and bool(node._args)
            if (shared or len(text.text) > _WIDTH or text.nest > _NEST) and not text.text.isidentifier():
                text = self._named(text)
            self.texts[id(node)] = text
        return [self.texts[id(r)] for r in roots]

    def _parts(self, node: Expression) -> Sequence[Expression]:
        assert self.loops is not None
        if isinstance(node, ELEMENTS):
            return ()
        row = self.rows.get(id(node))
        return self.loops.parts(node) if row is None else [*row.matrix.operands, *row.rest]

    def _product_by_matrix(self, row: MatrixRow) -> Text:
        """One row of a matrix of constants times a vector; the first that is met writes them all."""
        assert self.matrices is not None
        matrix = row.matrix
        if not matrix.names:
            name = self.names.fresh("m")
            self.matrices[name] = np.array(matrix.coefficients)
            matrix.names = [self.names.fresh("v") for _ in matrix.coefficients]
            vector = ", ".join(self.texts[id(operand)].text for operand in matrix.operands)
            self.lines.append(f"{', '.join(matrix.names)} = times({name}, ({vector}))")
        return Text(matrix.names[row.place])

    def _named(self, text: Text) -> Text:
        name = self.names.fresh("v")
        self.lines.append(f"{name} = {text.text}")
        return Text(name)

    def _text(self, node: Expression) -> Text:
        if isinstance(node, sympy.Tuple):  # the parameters of a hypergeometric function
            inside = ", ".join(self.texts[id(a)].text for a in node._args)
            return Text(f"({inside},)" if len(node._args) == 1 else f"({inside})")
        if not node._args or isinstance(node, ELEMENTS):
            return self._leaf(node)
        if node.is_Add:
            return self._sum(node)
        if node.is_Mul:
            return self._product(node._args)
        if node.is_Pow:
            return self._power(*node._args)
        if isinstance(node, RANGES):
            return self._over_range(node)
        if type(node) in _RELATIONS:
            left, right = (self.texts[id(a)] for a in node._args)
            sides = f"{left.within(_SUM)} {_RELATIONS[type(node)]} {right.within(_SUM)}"
            return Text(sides, _COMPARE, max(left.nest, right.nest))
        operands = [self.texts[id(a)] for a in parts(node)]
        return Text(
            f"{self._head(node.func)}({', '.join(o.text for o in operands)})",
            nest=1 + max(o.nest for o in operands),
        )

    def _head(self, head: Any) -> str:
        """What a function is called by: its own name, if Python and these programs leave it that."""
        name = head.__name__
        if not name.isidentifier() or keyword.iskeyword(name) or name in _WORDS:
            given = [known for known, other in self.heads.items() if other is head]
            name = given[0] if given else self.names.like(name)
        self.heads[name] = head
        return str(name)

    def _leaf(self, node: Expression) -> Text:
        if node.is_Rational and max(abs(node.p), node.q).bit_length() > _LONGEST:
            value = repr(float_of(node))
            return Text(value, _SIGN if value[0] == "-" else _ATOM)
        if node.is_Rational:
            if node.q == 1:
                return Text(str(node.p), _ATOM if node.p >= 0 else _SIGN)
            return Text(f"{node.p}/{node.q}", _PRODUCT)
        if node.is_Float:
            value = repr(float(node))
            return Text(value, _SIGN if value[0] == "-" else _ATOM)
        if node is S.NegativeInfinity:
            return Text("-inf", _SIGN)
        if node in _NAMED_NUMBERS:
            return Text(_NAMED_NUMBERS[node])
        if node is sympy.true or node is sympy.false:
            return Text(str(node))
        if not node._args and node.is_number:
            value = float_of(node)
            if isinstance(value, complex):
                raise InputError(
                    f"{node} has no value in a program of real numbers; evaluate(expr, values) knows it"
                )
            return Text(repr(value))
        if isinstance(node, ELEMENTS) and not all(index.is_Integer for index in node._args[1:]):
            raise InputError(
                f"a program looks up no elements, so {short(node)} has no value in it; write the Sum out "
                "first, with .doit(), and give its elements as a vector, as lambdify([[a[0], a[1]]], "
                "expr.doit()); or use evaluate(expr, values), which looks them up"
            )
        raise InputError(f"{short(node)} is not among the arguments; add it to their list")

    def _sum(self, node: Expression) -> Text:
        row = self.rows.get(id(node))
        pieces = [] if row is None else [("+", self._product_by_matrix(row))]
        for term in node._args if row is None else row.rest:
            known = self.texts[id(term)]
            if term.is_Mul and term._args[0].is_Rational and term._args[0].p < 0 and known.binds < _ATOM:
                coefficient, *rest = term._args
                positive = [] if coefficient is S.NegativeOne else [intern(-coefficient)]
                for p in positive:
                    self.texts.setdefault(id(p), self._leaf(p))
                pieces.append(("-", self._product((*positive, *rest))))
            elif known.text[0] == "-" and known.binds >= _PRODUCT:
                pieces.append(("-", Text(known.text[1:], _PRODUCT, known.nest)))
            else:
                pieces.append(("+", known))
        sign, first = pieces[0]
        if len(pieces) == 1 and sign == "+":
            return first
        text = first.within(_SUM) if sign == "+" else f"-{first.within(_SIGN)}"
        return self._joined(text, [(f" {s} ", t) for s, t in pieces[1:]], _PRODUCT, _SUM, first.nest)

    def _joined(
        self, text: str, rest: Sequence[tuple[str, Text]], operand: int, result: int, nest: int
    ) -> Text:
        """Terms or factors from left to right, a long row of them in several lines."""
        count = 0
        for sign, piece in rest:
            count += 1
            nest = max(nest, piece.nest)
            text += sign + piece.within(operand)
            if count == _TERMS or len(text) > 6 * _WIDTH:
                text, count = self._named(Text(text)).text, 0
        return Text(text, result, nest + 1)

    def _product(self, factors: Sequence[Expression]) -> Text:
        # A reciprocal that has a name is multiplied by; any other is divided by.
        above, below = [], []
        for f in factors:
            if f.is_Pow and f._args[1] is S.NegativeOne and self.texts[id(f)].binds < _ATOM:
                below.append(self.texts[id(f._args[0])])
            else:
                above.append(f)
        sign = ""
        if len(above) > 1 and above[0] is S.NegativeOne:
            sign, above = "-", above[1:]
        texts = [self.texts[id(f)] for f in above] or [Text("1")]
        first, *others = texts
        head = sign + first.within(_SIGN if sign else _PRODUCT)
        over = self._joined(head, [("*", t) for t in others], _SIGN, _PRODUCT, first.nest)
        if not below:
            return over if len(texts) > 1 else Text(over.text, _SIGN if sign else first.binds, first.nest)
        under = self._joined(
            below[0].within(_SIGN), [("*", t) for t in below[1:]], _SIGN, _PRODUCT, below[0].nest
        )
        if len(below) == 1:
            under = below[0]
        return Text(f"{over.within(_PRODUCT)}/{under.within(_SIGN)}", _PRODUCT, over.nest + under.nest)

    def _power(self, base: Expression, exponent: Expression) -> Text:
        b = self.texts[id(base)]
        if exponent is S.NegativeOne:
            return Text(f"1/{b.within(_SIGN)}", _PRODUCT, b.nest + 1)
        if exponent is S.Half:
            return Text(f"sqrt({b.text})", nest=b.nest + 1)
        if exponent == -S.Half:
            return Text(f"1/sqrt({b.text})", _PRODUCT, b.nest + 1)
        if exponent.is_Integer and not base.is_Rational:
            magnitude = f"{b.within(_ATOM)}**{self._leaf(abs(exponent)).text}"
            if exponent.p >= 0:
                return Text(magnitude, _POWER, b.nest + 1)
            return Text(f"1/{magnitude}", _PRODUCT, b.nest + 1)
        if exponent.is_Integer:  # Python would compute 7**(10**9) to its last digit
            b, e = Text(repr(float_of(base))), self._leaf(exponent)
        else:
            e = self.texts[id(exponent)]
        return Text(f"pow({b.text}, {e.text})", nest=1 + max(b.nest, e.nest))

    def _over_range(self, node: Expression) -> Text:
        """A loop over a function of the index; what does not depend on the index stays outside.

        A range of one term, from j to j, is no loop: its index is another name for j.
        """
        assert self.loops is not None
        loop = self.loops.of(node)
        low, high = (self.texts[id(end)] for end in loop.ends)
        single = loop.ends[0] is loop.ends[1]
        body = self._body(0 if single else 1)
        if single:
            index = self._once(loop.ends[0])
            body.lines = self.lines
        else:
            index = Text(self.names.like(loop.index))
            for part in loop.outside:
                self._once(part)
        hidden = {key: self.texts.pop(key) for key in loop.keys if key in self.texts}
        self.texts[id(loop.index)] = index
        (result,) = body.write([loop.body])
        for key in loop.keys:
            self.texts.pop(key, None)
        self.texts.update(hidden)
        if single:
            return result
        name = self.names.fresh("term")
        self.lines.append(f"def {name}({index.text}):")
        self.lines += [f"    {line}" for line in [*body.lines, f"return {result.text}"]]
        combine = "sum" if isinstance(node, sympy.Sum) else "prod"
        run = f"{name}({index.text}) for {index.text} in integers({low.text}, {high.text})"
        return Text(f"{combine}({run})", nest=2)

    def _once(self, node: Expression) -> Text:
        """The text of what is used within a loop, by a name if it takes computing."""
        text = self.texts[id(node)]
        if node._args and not text.text.isidentifier():
            text = self.texts[id(node)] = self._named(text)
        return text

    def _body(self, loops: int) -> Writer:
        """The writer of what is within a Sum or Product: it sees what is known here, and adds to that."""
        body = Writer(self.names, {}, self.heads)
        body.texts, body.loops = self.texts, self.loops
        body.depth, body.levels = self.depth + loops, self.levels + 1
        if body.depth > _LOOPS or body.levels > 2 * _LOOPS:
            raise InputError(
                f"the expression has Sums or Products nested more than {_LOOPS} deep, and Python's loops "
                "do not nest that far; evaluate the innermost first, with .doit()"
            )
        return body
