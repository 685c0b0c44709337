"""What the tests notice: ``python tests/mutation.py [ROOM] [--sample N] [--seed S] [--all]``.

A mutant is a copy of the package with one small change: a comparison that takes the other side, an ``and``
for an ``or``, a branch that is always or never taken, a statement left out, a number off by one. Its tests
are run; if one fails, the change was noticed and the mutant is killed. A mutant that survives is a line that
nothing holds: a test is missing, or the line. (DeMillo, Lipton and Sayward, "Hints on test data selection",
Computer 11, 1978.)

The mutants are of a room's bookkeeping: the files of :data:`ROOMS`, not the tables of rules, which have a
test of wrong rules of their own (tests/autodiff/rules/test_wrong_rules.py). They are drawn at random, by a
seed, so that a sample can be drawn anew. The tests are first those that mirror the mutated file, then those
beside them and the module's own examples, then the room's. Each mutant has a process of its own, forked from
one that has loaded the libraries.

Mutants that give the same program are listed with the reason in tests/equivalent_mutants.txt.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import contextlib
import importlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.txt")

ROOMS = {
    "recording": ["autodiff/recording"],
    "sweeps": ["autodiff/core", "autodiff/custom.py", "autodiff/checkpoint.py", "autodiff/jacobians.py"],
    "compiled": ["autodiff/compiled"],
    "code": ["autodiff/code"],
    "symbolic": ["symbolic/differentiation.py", "symbolic/sweeps.py", "symbolic/swell", "symbolic/values"],
    "finite": ["finite/choosing", "finite/error", "finite/evaluating", "finite/derivatives.py"],
    "comparison": ["comparison"],
    "graphs": ["graphs/reading", "graphs/layout", "graphs/formats"],
    "grading": ["grading/judging", "grading/classes", "grading/diagnosis"],
    "cli": ["cli"],
}
"""The files whose mutants are drawn, by room. What a room's code is tested by lies in the same place."""

LIBRARIES = ("numpy", "scipy.linalg", "scipy.special", "sympy", "mpmath", "hypothesis", "autograd", "pytest")

Change = tuple[int, int, str]
"""From where to where in the text, in characters, and what stands there instead."""


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    file: Path
    line: int
    before: str
    after: str
    change: Change

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {_short(self.before)}  ->  {_short(self.after)}"

    def key(self) -> tuple[str, str, str]:
        """What names it when lines have moved."""
        return str(self.file), " ".join(self.before.split()), " ".join(self.after.split())


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 90 else text[:87] + "..."


# -- the changes ------------------------------------------------------------------------------------------

_OPPOSITE = {
    ast.Lt: ["<="], ast.LtE: ["<"], ast.Gt: [">="], ast.GtE: [">"], ast.Eq: ["!="], ast.NotEq: ["=="],
    ast.Is: ["is not"], ast.IsNot: ["is"], ast.In: ["not in"], ast.NotIn: ["in"],
}  # fmt: skip
_ARITHMETIC = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "*"}
_FUNCTIONS = {"all": "any", "any": "all", "min": "max", "max": "min"}


def changes(tree: ast.AST) -> Iterator[tuple[ast.AST, ast.AST | str]]:
    """Every node that can be changed, and what takes its place: a node, or text."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPPOSITE:
                for other in _OPPOSITE[type(op)]:
                    yield node, f"{ast.unparse(left)} {other} {ast.unparse(right)}"
            case ast.BoolOp(op=op, values=values):
                yield node, ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
                for k in range(len(values)):
                    rest = values[:k] + values[k + 1 :]
                    yield node, rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield node, operand
            case ast.UnaryOp(op=ast.USub(), operand=operand) if not isinstance(operand, ast.Constant):
                yield node, operand
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC and not _is_text(node):
                yield node, f"{_inside(left)} {_ARITHMETIC[type(op)]} {_inside(right)}"
            case ast.IfExp(body=body, orelse=orelse):
                yield node, body
                yield node, orelse
            case ast.If(test=test):
                yield test, "True"
                yield test, "False"
            case ast.Call(func=ast.Name(id=name)) if name in _FUNCTIONS:
                yield node.func, _FUNCTIONS[name]
            case ast.Constant(value=bool(value)):
                yield node, str(not value)
            case ast.Constant(value=int(value)):
                yield node, str(value + 1)
            case ast.Constant(value=float(value)):
                yield node, repr(value * 2 if value else 1.0)
            case ast.Expr(value=ast.Call()) | ast.AugAssign():
                yield node, "pass"
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
                yield node, "pass"
            case ast.Continue():
                yield node, "pass"
            case ast.Break():
                yield node, "pass"


def _is_text(node: ast.BinOp) -> bool:
    return any(isinstance(n, ast.JoinedStr | ast.List) or _is_string(n) for n in ast.walk(node))


def _is_string(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _inside(node: ast.expr) -> str:
    return f"({ast.unparse(node)})"


def mutants_of(file: Path) -> list[Mutant]:
    """All the mutants of a file, but for those of annotations, messages and ``__all__``."""
    text = (ROOT / file).read_text(encoding="utf-8")
    tree = ast.parse(text)
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def place(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    left_out = _left_out(tree)
    found = []
    for node, new in changes(tree):
        if id(node) in left_out:
            continue
        start = place(node.lineno, node.col_offset)
        end = place(node.end_lineno or 0, node.end_col_offset or 0)
        replacement = new if isinstance(new, str) else ast.unparse(new)
        if isinstance(node, ast.expr) and not (isinstance(new, str) and new.isidentifier()):
            replacement = f"({replacement})"
        before = text[start:end]
        if before != replacement.strip("()"):
            found.append(Mutant(file, node.lineno, before, replacement, (start, end, replacement)))
    return found


def _left_out(tree: ast.AST) -> set[int]:
    """What has no part in the work: annotations, what is raised, and what stands under TYPE_CHECKING."""
    out: set[int] = set()
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        match node:
            case ast.FunctionDef(returns=returns):
                parts = [returns]
            case ast.arg(annotation=annotation):
                parts = [annotation]
            case ast.AnnAssign(annotation=annotation):
                parts = [annotation]
            case ast.Raise():
                parts = [node]
            case ast.JoinedStr():
                parts = [node]
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                parts = [node]
        for part in parts:
            if part is not None:
                out |= {id(n) for n in ast.walk(part)}
    return out


# -- the runs ---------------------------------------------------------------------------------------------


def stages(file: Path) -> list[list[str]]:
    """The tests of a file: its mirror; those beside it and its examples; and those of the room."""
    inside = file.relative_to("diffkit")
    mirror = Path("tests") / inside.parent / f"test_{inside.name}"
    beside = (Path("tests") / inside.parent).glob("test_*.py") if inside.parent.parts else []
    room = Path("tests") / inside.parts[0]
    wider = [p for p in sorted(room.rglob("test_*.py")) if "rules" not in p.parts]
    wider += sorted(Path("tests").glob("test_*.py"))
    seen: set[str] = set()
    found = []
    for stage in ([mirror], [*sorted(beside), file], wider):
        names = [str(p) for p in stage if p.exists() and str(p) not in seen]
        seen.update(names)
        if names:
            found.append(names)
    return found


def passes(tests: list[str], limit: float) -> bool:
    """Whether these tests pass in the current folder, in a process that has the libraries loaded."""
    child = os.fork()
    if child == 0:
        _run(tests)
    ends = time.monotonic() + limit
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) in (0, 5)  # 5: nothing was selected
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False  # it does not end: that would be seen


def _run(tests: list[str]) -> NoReturn:
    """What the child does, which must never come back: the parent's files are not its own to clear away."""
    status = 1
    try:
        os.setsid()
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        sys.path.insert(0, os.getcwd())
        options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not slow and not browser"]
        status = int(importlib.import_module("pytest").main([*options, *tests]))
    finally:
        os._exit(status)


def survives(mutant: Mutant, limit: float, wide: bool) -> bool:
    """Whether all the tests of a mutant pass. The current folder is a copy of the project."""
    text = mutant.file.read_text(encoding="utf-8")
    start, end, new = mutant.change
    for compiled in mutant.file.parent.glob(f"__pycache__/{mutant.file.stem}.*.pyc"):
        compiled.unlink()
    mutant.file.write_text(text[:start] + new + text[end:], encoding="utf-8")
    try:
        chosen = stages(mutant.file)
        return all(passes(stage, limit) for stage in (chosen if wide else chosen[:2]))
    finally:
        mutant.file.write_text(text, encoding="utf-8")


def equivalent() -> dict[tuple[str, str, str], str]:
    """The reasons why mutants are the same program, by file, what was there and what took its place."""
    reasons = {}
    for entry in EQUIVALENT.read_text(encoding="utf-8").split("\n\n") if EQUIVALENT.exists() else []:
        lines = [line for line in entry.splitlines() if line and not line.startswith("#")]
        if len(lines) == 4:
            reasons[lines[0], " ".join(lines[1].split()), " ".join(lines[2].split())] = lines[3]
    return reasons


def sample(room: str, size: int, seed: str) -> list[Mutant]:
    """So many mutants of a room, drawn at random; 0 for all of them."""
    places = [ROOT / "diffkit" / place for place in ROOMS[room]]
    files = [f for p in places for f in (sorted(p.rglob("*.py")) if p.is_dir() else [p])]
    found = [m for f in files for m in mutants_of(f.relative_to(ROOT))]
    return random.Random(f"{room} {seed}").sample(found, min(size, len(found))) if size else found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=", ".join(ROOMS) + "; all by default")
    parser.add_argument("--sample", type=int, default=6, help="mutants of each room, 0 for all (default 6)")
    parser.add_argument("--seed", default="0", help="of the draw (default 0)")
    parser.add_argument("--narrow", action="store_true", help="leave out the room's other tests")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for a run of tests (default 600)")
    asked = parser.parse_args()
    unknown = [room for room in asked.rooms if room not in ROOMS]
    if unknown:
        parser.error(f"there is no room {', '.join(unknown)}; there are {', '.join(ROOMS)}")
    for library in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    known = equivalent()
    table = []
    with tempfile.TemporaryDirectory() as copy:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        for name in listed.decode().split("\0"):
            if name and (ROOT / name).exists():
                (Path(copy) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, Path(copy) / name)
        compileall.compile_dir(copy, quiet=2)
        os.chdir(copy)
        for room in asked.rooms or ROOMS:
            drawn = sample(room, asked.sample, asked.seed)
            same = [m for m in drawn if m.key() in known]
            left = []
            for mutant in drawn:
                if mutant in same:
                    print(f"  equivalent  {mutant}\n              ({known[mutant.key()]})", flush=True)
                    continue
                lives = survives(mutant, asked.limit, not asked.narrow)
                print(f"  {'SURVIVES  ' if lives else 'killed    '}  {mutant}", flush=True)
                left += [mutant] * lives
            table.append((room, len(drawn), len(drawn) - len(same) - len(left), len(same), len(left)))
    print(f"\n{'room':12}{'tried':>8}{'killed':>8}{'equivalent':>12}{'survive':>9}")
    for room, *counts in [*table, ("all", *(sum(row[k] for row in table) for k in range(1, 5)))]:
        print(f"{room:12}{counts[0]:8}{counts[1]:8}{counts[2]:12}{counts[3]:9}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
