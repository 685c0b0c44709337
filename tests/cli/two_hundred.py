"""Two hundred functions that people write, by what there is to say of them.

``KINDS`` has what each command must do with a kind; ``FUNCTIONS`` the functions, each with its inputs. A
body of one line is what the function returns; others are the lines of its body.
"""

from __future__ import annotations

from dataclasses import dataclass

HEADER = """import itertools, math, random, sys, time
import numpy as np
count = itertools.count(1)
kept = []
calls = {"n": 0}

class Model:
    def __init__(self):
        self.w = 2.0
    def predict(self, x):
        return self.w * x**2
"""


@dataclass(frozen=True)
class Kind:
    """What is said of a function.

    Attributes:
        compare: a part of what `compare` prints, whether it is a table or a refusal.
        status: what `compare` exits with.
        others: what the commands that show a trace (draw, step, source) exit with; None for either.
        said: a part of what they say; "" for nothing.
    """

    compare: str
    status: int = 0
    others: int | None = 0
    said: str = ""


KINDS = {
    "smooth": Kind("reverse mode"),
    "kink": Kind("from the left it is", 0, None, said="from the left it is"),
    "jump": Kind("f jumps", said="f jumps"),
    "infinite": Kind("the slope is infinite", 0, None, said="the slope is infinite"),
    "edge": Kind("f has no values on the", 0, None, said="f has no values on the"),
    "no limit": Kind("the difference quotients have no limit", said="have no limit"),
    "isolated": Kind("f has no values beside it", 0, None, said="f has no values beside it"),
    "overflow": Kind("flows, f does not: ", 0, None, said="flows, f does not: "),
    "too large": Kind("f is larger than floats go", 0, None, said="f is larger than floats go"),
    "outside": Kind("that point is outside its domain", 2, None, "that point is outside its domain"),
    "other than itself": Kind("is not a function of its inputs", 2, 2, "is not a function of its inputs"),
    "no return": Kind("is a return missing?", 2, 2, "is a return missing?"),
    "no number": Kind("a derivative is of numbers", 2, 2, "a derivative is of numbers"),
    "complex": Kind("is complex at", 2, None),
    "two functions": Kind("is not one function: at x = ", 0, None, "is not one function: at x = "),
    "not traced": Kind("symbolic, forward mode, reverse mode: ", 0, 2),
    "no formula": Kind("symbolic: ", 0, 0),
    "raises": Kind("mine.py, line ", 2, 2, "mine.py, line "),
    "ends": Kind("it ends the program", 2, 2, "it ends the program"),
    "hangs": Kind("took longer than", 2, 2, "took longer than"),
    "prints": Kind("reverse mode", said="the program printed:"),
}

FUNCTIONS: dict[str, list[tuple[str, str]]] = {
    "smooth": [
        ("1.5", "x**2"),
        ("1.5", "np.sin(x) * np.exp(-x)"),
        ("0.3", "np.tanh(x) / (1 + x**2)"),
        ("2", "x**3 - 2 * x + 1"),
        ("2", "np.log(x) + np.sqrt(x)"),
        ("0.5", "np.arcsin(x) + np.arccos(x) * x"),
        ("0.5", "np.arctan(x)"),
        ("3", "2**x"),
        ("3", "x**x"),
        ("0.1", "np.log1p(x) + np.expm1(x)"),
        ("1", "1 / (1 + np.exp(-x))"),
        ("1", "np.where(x > 0, x**2, x**3)"),
        ("1", "np.maximum(x, 0.5) * 2"),
        ("1", "abs(x) * x"),
        ("0", "x**2"),
        ("0", "np.cos(x)"),
        ("0", "0.0 * x"),
        ("1", "x"),
        ("1", "(x, x**2)"),
        ("1", "[x, {'a': x * 2}]"),
        ("1", "np.stack([x, x**2, x**3])"),
        ("1", "np.hypot(x, 2.0)"),
        ("1", "np.logaddexp(x, 0.0)"),
        ("1e-8", "(1 - np.cos(x)) / x**2"),
        ("1e10", "np.sin(x)"),
        ("1e-30", "np.log(x)"),
        ("1e150", "x**2"),
        ("-3", "x**2"),
        ("1/3", "x * 3"),
        ("pi", "np.sin(x)"),
        ("pi/4", "np.tan(x)"),
        ("1", "sum(x**k / math.factorial(k) for k in range(12))"),
        ("1", "np.sum(np.ones(5) * x)"),
        ("1", "np.dot(np.arange(3.0), np.stack([x, x, x]))"),
        ("1", "Model().predict(x)"),
        ("1", "lambda_(x) if False else x * 2"),
        ("2", "y = x\nfor _ in range(8):\n    y = 0.5 * (y + x / y)\nreturn y"),
        ("2", "def inner(t):\n    return t * t\nreturn inner(inner(x))"),
        ("2", "y = [x]\nfor _ in range(5):\n    y.append(y[-1] * 1.1)\nreturn y[-1]"),
        ("2", "try:\n    return x * x\nfinally:\n    pass"),
        ("2", "a, b = x, x + 1\na, b = b, a\nreturn a * b"),
        ("2", "d = {'a': x}\nd['b'] = d['a'] ** 2\nreturn d['a'] + d['b']"),
        ("2", "with np.errstate(all='ignore'):\n    return np.log(x)"),
        ("2", "assert x > 0\nreturn x**0.5"),
        ("2", "y = np.zeros(3) + x\nreturn np.sum(y * y)"),
        ("2", "return float(3) * x"),
        ("5", "np.prod(np.stack([x, x + 1.0]))"),
        ("0.2", "4 * x * (1 - x)"),
        ("700", "np.exp(x)"),
        ("-700", "np.exp(x)"),
    ],
    "kink": [
        ("0", "abs(x)"),
        ("0", "np.abs(x)"),
        ("0", "np.maximum(x, 0.0)"),
        ("0", "np.minimum(x, 0.0)"),
        ("0", "x if x > 0 else 0.1 * x"),
        ("0", "np.where(x > 0, x, 2 * x)"),
        ("0", "np.sqrt(x * x)"),
        ("0", "np.hypot(x, 0.0)"),
        ("1", "abs(x - 1) + x"),
        ("1", "np.clip(x, 0.0, 1.0)"),
        ("1", "max(x, 1.0)"),
        ("1", "min(x, 1.0)"),
        ("2", "max(x, 2.0, x**2 - 2)"),
        ("0", "np.max(np.stack([x, -x]))"),
        ("0", "np.linalg.norm(np.stack([x, 0 * x]))"),
        ("0", "(x**2) ** 0.5"),
    ],
    "jump": [
        ("2", "np.floor(x)"),
        ("2", "np.ceil(x)"),
        ("0.5", "np.rint(x)"),
        ("0", "np.sign(x)"),
        ("0", "np.heaviside(x, 1.0)"),
        ("0", "1.0 if x > 0 else 0.0 * x"),
        ("1", "x**2 if x > 1 else x - 5"),
        ("0", "np.where(x >= 0, 1.0, 0.0) * (x + 1)"),
        ("0", "5.0 if x == 0 else x"),
        ("1", "x % 1.0"),
        ("1", "x // 1.0 * x"),
        ("3", "np.trunc(x) + x"),
    ],
    "infinite": [
        ("0", "np.sqrt(x)"),
        ("0", "x**0.5"),
        ("0", "np.cbrt(x)"),
        ("1", "np.arcsin(x)"),
        ("-1", "np.arccos(x)"),
        ("1", "np.arccosh(x)"),
        ("0", "np.sqrt(abs(x))"),
        ("0", "x * np.log(x) if x > 0 else x"),
        ("0", "x**x"),
        ("0", "np.sqrt(x) * np.sqrt(x + 1)"),
        ("1", "np.sqrt(1 - x)"),
        ("0", "abs(x) ** 0.3"),
    ],
    "edge": [("0", "x**1.5"), ("0", "np.sqrt(x) ** 3"), ("0", "np.sqrt(x) ** 2"), ("0", "np.sqrt(x) * x")],
    "no limit": [("0", "x * np.sin(1 / x) if x != 0 else x")],
    "isolated": [("0", "np.sqrt(-x * x)"), ("0", "np.sqrt(-abs(x))")],
    "overflow": [
        ("1000", "np.log(1 + np.exp(x))"),
        ("-1000", "1 / (1 + np.exp(-x))"),
        ("1000", "np.exp(x) / (1 + np.exp(x))"),
        ("800", "np.log(np.exp(x))"),
        ("1e200", "np.sqrt(x * x + 1)"),
        ("1000", "np.tanh(np.sinh(x))"),
        ("400", "np.log(np.cosh(x) ** 2)"),
        ("1e160", "(x**2 + 1) / x**2"),
        ("-800", "np.log(np.exp(x))"),
        ("1e-200", "1 / (1 / (x * x))"),
    ],
    "too large": [("7", "np.exp(np.exp(x))"), ("1e200", "x**2 * x**2"), ("800", "np.exp(x)")],
    "outside": [
        ("-1", "np.log(x)"),
        ("-1", "np.sqrt(x)"),
        ("2", "np.arcsin(x)"),
        ("0", "np.log(x)"),
        ("0", "1 / x"),
        ("0", "np.reciprocal(x)"),
        ("0", "x / x"),
        ("0", "np.sin(x) / x"),
        ("1", "np.arctanh(x)"),
        ("0", "np.log(abs(x))"),
        ("0", "x**-1"),
        ("0", "x**-0.5"),
        ("0.5", "np.arccosh(x)"),
        ("1", "np.inf * x - np.inf"),
        ("1", "np.nan * x"),
    ],
    "other than itself": [
        ("1", "x * random.random()"),
        ("1", "x + np.random.normal()"),
        ("1", "x * np.random.default_rng().random()"),
        ("1", "x * next(count)"),
        ("1", "kept.append(1)\nreturn x * len(kept)"),
        ("1", "calls['n'] += 1\nreturn x**2 + calls['n']"),
        ("1", "x * time.perf_counter()"),
        ("1", "x * time.time_ns()"),
        ("1", "x * id(object())**0 * random.gauss(1, 0.1)"),
        ("1", "global total\ntotal = globals().get('total', 0) + 1\nreturn x * total"),
    ],
    "no return": [
        ("1", "y = x**2"),
        ("1", "print(x)"),
        ("1", "return"),
        ("1", "if x > 5:\n    return x"),
        ("1", "(x, None)"),
        ("1", "None"),
        ("1", "[x, [None]]"),
    ],
    "no number": [
        ("1", "'text'"),
        ("1", "str(x)"),
        ("1", "lambda t: t * x"),
        ("1", "{1, 2}"),
        ("1", "object()"),
        ("1", "f'{x}'"),
        ("1", "(v for v in [x])"),
        ("1", "[x, 'a']"),
        ("1", "np.array(['a'])"),
        ("1", "Model()"),
        ("1", "range(3)"),
    ],
    "complex": [
        ("1.5", "np.exp(1j * x)"),
        ("1.5", "x * 1j"),
        ("1.5", "complex(1, 2) * x"),
        ("-1", "(-2.0) ** 0.5 * x"),
        ("1", "np.sqrt(-1 + 0j) * x"),
    ],
    "two functions": [
        ("2", "x**2 if type(x) is float else x**3"),
        ("2", "2**x if isinstance(x, float) else x"),
        ("2", "x**2 if type(x) is float else x * 2"),
        ("2", "x if type(x).__name__ == 'float' else -x"),
        ("2", "x * (2 if 'float' in str(type(x)) else 3)"),
        ("2", "x * (2 if hasattr(x, 'hex') else 3)"),
        ("2", "x if isinstance(x, (int, float)) else x + 1"),
    ],
    "not traced": [
        ("1", "math.sin(x)"),
        ("1", "math.exp(x) * x"),
        ("1", "math.sqrt(x)"),
        ("1", "float(x) ** 2"),
        ("1", "math.fsum([x, x])"),
        ("1", "math.pow(x, 2)"),
        ("1", "math.hypot(x, 1.0)"),
        ("1", "np.float64(float(x)) * 2"),
        ("1.5", "math.gamma(x)"),
        ("1", "sum(map(float, [x, x]))"),
    ],
    "no formula": [
        ("11", "while x > 1:\n    x = x / 2\nreturn x"),
        ("1", "x**2 if x > 0 else x"),
        ("3", "y = x\nwhile abs(y * y - x) > 1e-9:\n    y = 0.5 * (y + x / y)\nreturn y"),
        ("1", "sorted([x, 2 * x, -x])[0]"),
        ("1", "x * 2 if bool(x) else x"),
    ],
    "raises": [
        ("1", "x + undefined"),
        ("1", "raise ValueError('x must be negative')"),
        ("1", "raise RuntimeError('nothing\\nmore')"),
        ("1", "[][3] * x"),
        ("1", "{}['a'] * x"),
        ("1", "x.missing"),
        ("1", "'a' + x"),
        ("1", "assert x < 0"),
        ("1", "raise KeyError(x)"),
        ("1", "raise NotImplementedError"),
        ("1", "import nowhere_to_be_found"),
        ("1", "int('a') * x"),
        ("1", "np.linalg.inv(np.zeros((2, 2)))[0, 0] * x"),
        ("1", "np.ones(3) @ np.ones(4) * x"),
        ("1", "open('nowhere.txt').read() * x"),
        ("1", "next(iter([])) * x"),
        ("1", "raise Exception"),
        ("1", "raise MemoryError"),
    ],
    "ends": [("1", "sys.exit(3)"), ("1", "sys.exit('done')"), ("1", "raise SystemExit"), ("1", "exit(0)")],
    "hangs": [("1", "while True:\n    pass"), ("1", "time.sleep(30)\nreturn x")],
    "prints": [
        ("1", "print('x is', x)\nreturn x**2"),
        ("1", "for k in range(300):\n    print(k)\nreturn x**2"),
        ("1", "sys.stdout.write('no end of line')\nreturn x**2"),
        ("1", "print('a' * 5000)\nreturn x**2"),
        ("1", "print('é─∂v̄')\nreturn x**2"),
    ],
}


def source() -> tuple[str, list[tuple[str, str, str]]]:
    """The text of a file with all of them, and (kind, name, inputs) for each."""
    lines, listed = [HEADER], []
    for kind, functions in FUNCTIONS.items():
        for k, (inputs, body) in enumerate(functions, 1):
            name = f"{kind.replace(' ', '_')}_{k}"
            listed.append((kind, name, inputs))
            is_statement = "\n" in body or body.split(" ")[0] in ("return", "raise", "assert", "import")
            is_statement = is_statement or (body.startswith(("y = ", "print(")) and "return" not in body)
            text = body if is_statement else f"return {body}"
            lines.append(f"def {name}(x):\n    " + text.replace("\n", "\n    ") + "\n")
    return "\n".join(lines), listed
