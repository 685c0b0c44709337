"""Emitted source runs where diffkit can't be imported: all programs of the rule tests, and their adjoints."""

import importlib.util
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy_cases import FAMILIES
from rule_checks import Case, cotangents_of

import diffkit as dk
from diffkit.autodiff.bits import same_bits
from diffkit.containers import flatten

HERE = Path(__file__).parent
OTHERS = [
    "test_fft",
    "test_linalg",
    "test_complex_numbers",
    "scipy/test_special",
    "scipy/test_linalg",
    "scipy/test_stats",
    "scipy/test_signal_integrate",
]
ALONE = """
import pickle, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "diffkit":
            raise ModuleNotFoundError(f"no {name} here")

sys.meta_path.insert(0, Refuse())

def leaves(value):
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (tuple, list)):
        return [] if value is None else [value]
    return [leaf for part in value for leaf in leaves(part)]

def run(text, name, args):
    scope = {"__name__": "a_file_of_its_own"}
    try:
        exec(compile(text, "program.py", "exec"), scope)
        return leaves(scope[name](*args))
    except Exception as error:
        return f"{type(error).__name__}: {error}"

import warnings
warnings.simplefilter("ignore")
answers = [run(*job) for job in pickle.load(sys.stdin.buffer)]
assert not any(name.partition(".")[0] == "diffkit" for name in sys.modules)
pickle.dump(answers, sys.stdout.buffer)
"""


def cases_in(value):
    """The cases in a table of a test module, however it is nested."""
    if isinstance(value, Case):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from cases_in(part)
    elif isinstance(value, type(pytest.param())):
        yield from cases_in(value.values)


def cases_of(name):
    if name in FAMILIES:
        return list(cases_in(FAMILIES[name]))
    spec = importlib.util.spec_from_file_location(f"emitted_{Path(name).name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return list({id(c): c for c in cases_in(list(vars(module).values()))}.values())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*FAMILIES, *OTHERS])
def test_programs_run_without_diffkit(name):
    if name.startswith("scipy"):
        pytest.importorskip("scipy")
    jobs, expected = [], []
    for c in cases_of(name):
        f = c.on_numpy()
        f.__name__ = "program"
        t = dk.trace(f)(*c.args)
        joint = t.adjoint(cotangents_of(t.value))
        for traced, value in ((t, t.value), (joint, (t.value, joint.value))):
            source = traced.source()
            imported = re.findall(r"^\s*(?:from|import) (\w+)", source, re.M)
            assert set(imported) <= {"math", "numpy", "scipy", "collections"}, source
            helpers = [line for line in source.split("\ndef program")[0].splitlines() if line[:1] == " "]
            assert all(len(line) <= 88 for line in helpers), source
            inputs = [a.value if traced.owns(a) else a for a in traced.arguments]
            jobs.append((str(source), source.name, inputs))
            expected.append(flatten(value)[0])
    assert jobs
    done = subprocess.run(
        [sys.executable, "-c", ALONE], input=pickle.dumps(jobs), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    for (text, _, _), found, wanted in zip(jobs, pickle.loads(done.stdout), expected, strict=True):
        assert not isinstance(found, str), f"{found}\n{text}"
        wanted = [v for v in wanted if v is not None]
        assert len(found) == len(wanted), text
        for a, b in zip(found, wanted, strict=True):
            assert same_bits(a, b) or (not np.ndim(a) and same_bits(complex(a), complex(b))), text
