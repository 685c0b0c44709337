"""The served editor: who may reach it, what it says of wrong programs, and typing in Chromium."""

import functools
import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import numpy as np
import pytest

import diffkit as dk
from diffkit import programs
from diffkit.cli.editor.text import text_of
from diffkit.cli.editor.worker import answers
from diffkit.errors import InputError

pytest.importorskip("tornado")

COMMAND = [
    sys.executable,
    "-c",
    "from diffkit.cli import main; main()",
    "explore",
    "--no-browser",
    "--limit",
    "2",
]


@pytest.fixture(scope="module")
def address():
    """A running ``diffkit explore``; at the end it is told Ctrl-C, and ends quietly."""
    # Workers of pytest-xdist ignore Ctrl-C, and what they start would inherit that.
    hears = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(
        COMMAND, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=hears
    )
    yield process.stdout.readline().strip()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in rest


def ask(address, path, headers=None, body=None):
    """The status, headers and text of what the server answers."""
    base = address.partition("/?")[0]
    request = urllib.request.Request(base + path, headers=headers or {}, data=body)
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return reply.status, reply.headers, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def token_of(address):
    return address.partition("token=")[2]


def test_the_address_is_the_loopback_ones_and_carries_a_token(address):
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", address)
    status, headers, text = ask(address, "/?token=" + token_of(address))
    assert status == 200
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "textarea" in text


@pytest.mark.parametrize("path", ["/", "/run", "/texts", "/page"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Token": "guessed"},
        {"X-Token": "TOKEN", "Host": "evil.example"},
        {"X-Token": "TOKEN", "Host": "127.0.0.1.evil.example:PORT"},
        {"X-Token": "TOKEN", "Origin": "http://evil.example"},
        {"X-Token": "TOKEN", "Origin": "null"},
        {"X-Token": "TOKEN", "Origin": "https://127.0.0.1:PORT"},
        {"X-Token": "TOKEN", "Sec-Fetch-Site": "cross-site"},
        {"X-Token": "TOKEN", "Sec-Fetch-Site": "same-site"},
    ],
    ids=lambda h: " ".join(h) or "nothing",
)
def test_nobody_else_is_answered(address, path, headers):
    port = re.search(r":(\d+)/", address).group(1)
    sent = {k: v.replace("TOKEN", token_of(address)).replace("PORT", port) for k, v in headers.items()}
    status, _, text = ask(address, path, sent, b"{}" if path == "/run" else None)
    assert status == 403
    assert token_of(address) not in text


def test_a_form_with_the_token_in_its_address_runs_nothing(address):
    status, _, _ = ask(address, "/run?token=" + token_of(address), body=b'{"source": "1/0"}')
    assert status == 403


@pytest.mark.slow
def test_a_program_runs_and_an_endless_one_is_stopped_and_the_server_lives_on(address):
    headers = {"X-Token": token_of(address)}

    def run(source, inputs="2"):
        return json.loads(
            ask(address, "/run", headers, json.dumps({"source": source, "inputs": inputs}).encode())[2]
        )

    endless = run("def f(x):\n    while True:\n        x = x + 1\n")
    assert "took longer than 2 s" in endless["error"]
    assert endless["line"] in (2, 3)
    assert "ended its own process" in run("import os\ndef f(x):\n    os._exit(3)\n")["error"]
    assert run("def f(x):\n    return x * x\n") == {"name": "f", "refused": "", "printed": ""}
    status, page_headers, page = ask(address, "/page?token=" + token_of(address))
    assert status == 200
    assert "sandbox allow-scripts" in page_headers["Content-Security-Policy"]
    assert "window.diffkit" in page
    texts = json.loads(ask(address, "/texts", headers)[2])
    assert "df/dx = 2*x" in texts["formula"]
    assert "def f_adjoint(" in texts["source"]
    assert "product: d(u * v)" in texts["steps"]


@pytest.mark.parametrize(
    ("source", "inputs", "line", "said"),
    [
        ("def f(x)\n    return x", "1", 1, "expected ':'"),
        ("def f(x):\n    y = x\n    return y + z", "1", 3, "NameError: name 'z' is not defined"),
        ("def f(x):\n    return g(x)\ndef g(x):\n    return x / 0", "1", 4, "ZeroDivisionError"),
        ("def f(x):\n    return float(str(x))", "1", 2, ""),
        ("x = 3", "1", None, "define a function"),
        ("", "", None, "define a function"),
        ("raise SystemExit(4)\ndef f(x): return x", "1", 1, "SystemExit"),
        ("def f(x, y): return x", "1", None, "missing a required argument: 'y'"),
        ("def f(x): return x", "1,,", None, "the inputs are written as in a call"),
        ("def f(x): return x", "1/0", None, "division by zero"),
        ("def f(x): return 'text'", "1", None, "returns 'text'"),
        ("def f(x): return f(x)", "1", None, "recursion"),
        ("import numpy as np\ndef f(x): return np.ones((10**7, 10**7)) * x", "1", 2, "make its arrays"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_line(source, inputs, line, said):
    (told,) = answers({"source": source, "inputs": inputs})
    assert said in told["error"]
    if line is not None:
        assert told["line"] == line
    assert "diffkit/" not in told["error"]


def test_inf_and_nan_are_no_error_and_what_numpy_warns_of_is_shown():
    source = "import numpy as np\ndef f(x):\n    return np.log(x) + np.sqrt(x - 5)"
    page, _ = answers({"source": source, "inputs": "0"})
    assert "error" not in page
    assert "divide by zero encountered in log" in page["printed"]


def test_prints_are_shown_and_cut():
    page, _ = answers({"source": "def f(x):\n    print('hello ' * 10000)\n    return x * 2", "inputs": "1"})
    assert page["printed"].startswith("hello hello")
    assert len(page["printed"]) <= 4000


def test_integers_are_floats_but_for_counts():
    source = "def f(x, n=3):\n    for _ in range(n):\n        x = x * x\n    return x"
    page, texts = answers({"source": source, "inputs": "2, n=2"})
    assert "error" not in page
    assert page["page"].count('data-row="') == 3
    assert texts["source"].count("x * x") == 1


def test_moved_inputs_are_traced_anew():
    source = "def f(p):\n    if p['a'] > 1:\n        return p['a'] ** 2\n    return p['a'] * p['b'].sum()"
    (first, _), (second, _) = (
        answers({"source": source, "inputs": "{'a': 2.0, 'b': np.ones(2)}", **more})
        for more in ({}, {"moved": [[0.5], [3.0, 4.0]]})
    )
    assert "p['a']²" in first["page"]
    assert "p['a']²" not in second["page"]
    assert '"value":[3.0,4.0]' in second["page"]


@pytest.mark.parametrize("name", programs.names())
def test_a_lectures_program_as_text_computes_what_it_computes(name):
    p = programs.get(name)
    source, inputs = text_of(p, p.args)
    space = {}
    exec(source, space)
    args, keywords = eval(f"(lambda *a, **k: (a, k))({inputs})", space)
    got, expected = (dk.trace(f)(*args) for f in (lambda *a: space[name](*a, **keywords), p))
    for a, b in zip(got.outputs, expected.outputs, strict=True):
        np.testing.assert_array_equal(got.value_of(a), expected.value_of(b))


def test_inputs_that_nobody_would_write_out_are_refused_with_what_to_do():
    with pytest.raises(InputError, match="as a parameter's default"):
        text_of(programs.Program(_total, {}, None), (np.ones(100),))


def _total(x):
    return x.sum()


@pytest.mark.browser
def test_typing_in_a_browser(address, browser):
    page = browser.new_page(viewport={"width": 1500, "height": 800})
    said = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(address)
    frame, status = page.frame_locator("#page"), page.locator("#said")
    frame.locator("h1", has_text="f").wait_for()
    page.fill("#source", "def bend(x):\n    if x > 1:\n        return x * x\n    return 3 * x\n")
    page.fill("#inputs", "2")  # and no key: it runs when one pauses
    status.get_by_text("bend", exact=True).wait_for()
    frame.locator("#inputs input[type=number]").fill("0.5")
    status.get_by_text("traced anew").wait_for()
    frame.locator("#warning").wait_for(state="hidden")
    assert "inputs=2" in page.url
    assert "state=" in page.url
    page.fill("#source", "def bend(x):\n    return x +\n")
    page.keyboard.press("Control+Enter")
    status.get_by_text("Line 2:").wait_for()
    assert page.locator("#lines .wrong").inner_text() == "2"
    # a link brings the program back, and does not run it
    link = address + "#program=" + "def%20mine(x):%20return%20x&inputs=1"
    page.goto("about:blank")
    page.goto(link)
    status.get_by_text("Read it, then run it").wait_for()
    assert page.input_value("#source") == "def mine(x): return x"
    assert said == []
    page.context.close()


def test_explore_writes_a_page_where_it_is_told_to(diffkit, tmp_path):
    path = tmp_path / "page.html"
    assert (
        diffkit("explore", "two_outputs", "2", "3", "--seed", "1", "--seed", "0", "-o", str(path)).status == 0
    )
    assert "window.diffkit" in path.read_text(encoding="utf-8")


def test_explore_writes_the_gallery_with_an_index(diffkit, tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "names", lambda: ["sum_times", "log_product"])
    assert diffkit("explore", "--gallery", str(tmp_path / "pages")).status == 0
    made = sorted(p.name for p in (tmp_path / "pages").iterdir())
    stems = ("index.html", "log_product.html", "log_product.svg", "sum_times.html", "sum_times.svg")
    assert made == sorted(stems)
    index = (tmp_path / "pages" / "index.html").read_text(encoding="utf-8")
    assert index.index('href="sum_times.html"') < index.index('href="log_product.html"')
    assert "default-src 'none'" in index


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["two_outputs", "--gallery", "x"], "give no program and no --output"),
        (["-o", "page.html"], "which program's page?"),
        (["--seed", "1"], "which program's page?"),
        (["nosuch"], "there is no program 'nosuch'"),
        (["two_outputs", "-o", "page.txt"], "the page is an HTML file"),
    ],
)
def test_what_explore_is_asked_for_is_checked(diffkit, args, said):
    done = diffkit("explore", *args)
    assert done.status == 2
    assert said in done.err


def test_without_tornado_it_is_said_what_to_install(diffkit, monkeypatch):
    monkeypatch.setitem(sys.modules, "diffkit.cli.editor.server", None)
    done = diffkit("explore")
    assert done.status == 2
    assert "needs Tornado" in done.err
    assert "[serve]" in done.err
    assert "-o page.html" in done.err
