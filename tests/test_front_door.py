"""``import diffkit`` is quick, and hands on every name that scripts are written against."""

import importlib
import subprocess
import sys

import pytest

import diffkit as dk

NAMES_THAT_STAY = """
grad value_and_grad grad_and_aux elementwise_grad deriv jacobian hessian hessian_vector_product make_hvp
make_vjp make_jvp make_ggnvp vector_jacobian_product tensor_jacobian_product hessian_tensor_product
holomorphic_grad checkpoint primitive defvjp defjvp deflinear numpy check_grads trace compile
symbolic.diff symbolic.gradient symbolic.jacobian symbolic.steps symbolic.size symbolic.swell
finite.derivative finite.gradient finite.jacobian finite.hessian finite.error_sweep
compare draw stepper explore grading.check_vjp programs
"""


@pytest.mark.parametrize("name", NAMES_THAT_STAY.split())
def test_the_name_is_there(name: str) -> None:
    value = dk
    for part in name.split("."):
        value = getattr(value, part)
    assert callable(value) or hasattr(value, "__name__")


def test_importing_loads_nothing_heavy() -> None:
    heavy = "sympy mpmath scipy matplotlib graphviz wasmtime click rich".split()
    code = f"import sys, diffkit; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_differentiating_loads_nothing_heavy() -> None:
    code = (
        "import sys, diffkit, numpy as np; diffkit.grad(np.sin)(1.0);"
        "print([m for m in ['sympy', 'mpmath', 'scipy', 'matplotlib', 'graphviz'] if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gradient", "did you mean grad"),
        ("jacobain", "did you mean jacobian"),
        ("acuracy", "did you mean accuracy"),
        ("derivative", "finite.derivative"),
        ("zzz", "dir(diffkit) lists its names"),
    ],
)
def test_a_mistyped_name_is_suggested(name: str, hint: str) -> None:
    with pytest.raises(AttributeError) as error:
        getattr(dk, name)
    assert f"module 'diffkit' has no attribute {name!r}; " in str(error.value)
    assert hint in str(error.value)
    assert not hasattr(dk, name)


@pytest.mark.parametrize(
    "room", "calculus comparison finite graphs grading plots precise programs scipy symbolic tables".split()
)
def test_dir_shows_the_public_names(room: str) -> None:
    module = importlib.import_module(f"diffkit.{room}")
    assert sorted(dir(module)) == sorted(module.__all__)
    assert all(hasattr(module, name) for name in dir(module))
