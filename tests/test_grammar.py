"""Texts of the calculus table: chained, renamed, and compiled with and without operators."""

from diffkit.grammar import chain, compile_text, folded, rename


def test_chain_and_rename():
    assert chain("t", "-ans / y") == "-(t * ans) / y"
    assert rename("x * ans", {"x": "a + b", "ans": "f"}) == "(a + b) * f"


def test_compile_without_operators_calls_by_name():
    seen = []
    names = {
        "number": lambda v: f"#{v}",
        **{n: (lambda *a, n=n: seen.append((n, a)) or n) for n in ("add", "multiply", "negative", "power")},
    }
    compile_text("-x * 2 + x**2", ["x"], names, operators=False)("x")
    assert [n for n, _ in seen] == ["negative", "multiply", "power", "add"]
    assert seen[2][1] == ("x", "#2")


def test_folding_computes_what_has_only_numbers_and_leaves_the_rest():
    assert folded("x / (2 * 4)") == "x / 8"
    assert folded("pi / 180 * x") == "0.017453292519943295 * x"
    assert folded("log(x) * 2") == "log(x) * 2"
