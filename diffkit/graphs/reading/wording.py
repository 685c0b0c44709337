"""The lines of text that stand in boxes and on arrows."""

from __future__ import annotations

from typing import Any

from diffkit.autodiff.notation.row_texts import Math, absent, type_text, value_text
from diffkit.graphs.model import Label


def plain_text(text: str) -> Math:
    """Words, or a type."""
    return Math(text, rf"\text{{{text}}}")


def number(text: str) -> Math:
    """A value as ``value_text`` writes it; in LaTeX, 1e-9 as a power of ten."""
    latex = text.replace("−", "-").replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
    mantissa, e, exponent = latex.partition("e")
    power = e and exponent.lstrip("-").isdigit()
    return Math(text, rf"{mantissa} \times 10^{{{exponent}}}" if power else latex)


def equal(a: Math, b: Math) -> Math:
    """``a = b``."""
    return Math(f"{a.text} = {b.text}", f"{a.latex} = {b.latex}")


def with_value(name: Math, value: Any, like: Any) -> Math:
    """``ẋ = 1``; the name alone where the value is a large array, and 0 where no path leads."""
    text = absent(like) if value is None else value_text(value)
    return equal(name, number(text)) if text else name


def with_number(formula: Math, text: str, direction: str) -> list[Label]:
    """What an arrow carries, and its number: in one line beside an arrow that points down, else in two."""
    if direction == "down":
        return [Label(equal(formula, number(text)), "partial")]
    value = number(text)
    return [Label(formula, "partial"), Label(Math(f"= {value.text}", f"= {value.latex}"), "number")]


def kept_line(name: Math, value: Any) -> Math:
    """``x = 2``, or ``W: float64(16, 784)`` for a large array."""
    text = value_text(value)
    if text:
        return equal(name, number(text))
    type_ = type_text(value)
    return Math(f"{name.text}: {type_}", rf"{name.latex}: \text{{{type_}}}")
