"""Hostile and broken submissions: each defines a wrong rule of ``multiply``, and tries something.

Beside it, in the same file, is a right rule of ``tanh``, which should count wherever the file can be loaded.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from tests.grading.honest import HEAD, submission

WRONG = "return g, g"
"""What every attack falls back on: it is wrong."""


@dataclass(frozen=True)
class Attack:
    """A hostile submission.

    Attributes:
        name: what it tries.
        code: its text.
        second: whether its right second exercise must count.
        says: what the record of the first exercise must mention.
        refused: whether its action is refused; it then writes "escaped" if it was not.
    """

    name: str
    code: str
    second: bool = True
    says: str = ""
    raw: bytes | None = None


ATTACKS: list[Attack] = []


def at_load(name: str, prelude: str, second: bool = True, says: str = "") -> None:
    """Something done while the file is loaded."""
    code = HEAD + prelude + submission("tanh", multiply=WRONG).removeprefix(HEAD)
    ATTACKS.append(Attack(name, code, second, says))


def in_rule(name: str, body: str, says: str = "", second: bool = True) -> None:
    """Something done in the rule."""
    ATTACKS.append(Attack(name, submission("tanh", multiply=body + f"\n    {WRONG}"), second, says))


def tried(action: str) -> str:
    """Statements that do something, and say so if nothing kept them from it."""
    return "\n".join(
        [
            "try:",
            textwrap.indent(action.strip(), "    "),
            "    print('ESCAPED')",
            "except BaseException as error:",
            "    print('refused', type(error).__name__)",
        ]
    )


def at_load_tried(name: str, action: str) -> None:
    """Something that must be refused while the file is loaded."""
    at_load(name, "\n\n" + tried(action) + "\n")


# -- making the comparison say yes -----------------------------------------------------------------------

at_load(
    "patches numpy.testing and allclose",
    """
import numpy.testing
for module in (np, np.testing):
    for name in ("assert_allclose", "allclose", "isclose", "array_equal", "assert_array_equal"):
        if hasattr(module, name):
            setattr(module, name, lambda *a, **k: True)
""",
)
at_load(
    "patches ufuncs that a comparison would use",
    """
np.abs = np.absolute = lambda *a, **k: np.zeros(())
np.isfinite = lambda *a, **k: np.ones((), bool)
""",
    second=True,
)
at_load(
    "patches builtins",
    """
import builtins
builtins.abs = lambda x: 0
builtins.all = builtins.any = lambda x: True
builtins.isinstance = lambda *a: True
""",
    second=False,
)
at_load(
    "replaces student_side's functions found by gc",
    """
import gc, sys
for thing in gc.get_objects():
    if type(thing).__name__ == "function" and "student_side" in getattr(thing, "__module__", ""):
        thing.__globals__["pack_array"] = None
frame = sys._getframe()
while frame:
    for name in ("perform", "_step", "failure_of"):
        if name in frame.f_globals:
            frame.f_globals[name] = None
    frame = frame.f_back
""",
    second=False,
)
in_rule(
    "looks for what is expected in the frames above",
    """
    import sys
    frame = sys._getframe()
    while frame is not None:
        for space in (frame.f_locals, frame.f_globals):
            for name in ("expected", "truth", "right", "reference", "exercise", "trial"):
                if name in space:
                    return space[name]
        frame = frame.f_back""",
)
in_rule(
    "looks for what is expected with gc",
    """
    import gc
    for thing in gc.get_objects():
        if type(thing).__name__ in ("Truth", "Trial", "Exercise", "Instance"):
            return thing.truths""",
)
in_rule("imports the reference", "from diffkit.grading import catalogue", says="may not import diffkit")
in_rule("imports diffkit", "import diffkit", says="may not import diffkit")
in_rule("imports an AD package", "import autograd.numpy", says="autograd")
in_rule("imports another AD package", "import torch", says="torch")
in_rule(
    "returns an array subclass that agrees with everything",
    """
    class Agrees(np.ndarray):
        def __array_function__(self, function, types, args, kwargs): return True
        def __array_ufunc__(self, *args, **kwargs): return True
        def __eq__(self, other): return True
        def __abs__(self): return 0.0
    return np.asarray(g * y).view(Agrees), np.asarray(g * x).view(Agrees)""",
)
in_rule(
    "returns an object that equals everything",
    """
    class Equal:
        shape, dtype, ndim = np.shape(x), np.dtype(float), np.ndim(x)
        def __eq__(self, other): return True
        def __sub__(self, other): return 0.0
        __rsub__ = __add__ = __radd__ = __sub__
        def __array__(self, *a, **k): return np.zeros(np.shape(x))
        def __float__(self): return 0.0
    return Equal(), Equal()""",
)
in_rule(
    "returns a float subclass",
    """
    class Sly(float):
        def __array__(self, *a, **k): raise SystemExit
        def __eq__(self, other): return True
    return Sly(1.0), Sly(1.0)""",
)
in_rule("returns object arrays", "return np.array([None, {}], dtype=object), np.array([x], dtype=object)")
in_rule("returns texts", "return 'right', np.array(['right'])")
in_rule("returns a generator", "return (part for part in (g * y, g * x))")
in_rule("returns None", "return None")
in_rule("returns a function", "return lambda: (g * y, g * x)")
in_rule("returns NotImplemented", "return NotImplemented, NotImplemented")
in_rule("returns NaN", "return np.full(np.shape(x), np.nan), np.full(np.shape(y), np.nan)")
in_rule("returns infinities", "return np.full(np.shape(x), np.inf), np.full(np.shape(y), np.inf)")
in_rule("returns zeros", "return np.zeros(np.shape(x)), np.zeros(np.shape(y))")
in_rule(
    "returns a class with an evil name",
    """
    class Meta(type):
        @property
        def __name__(cls): raise SystemExit
    class Evil(metaclass=Meta): pass
    return Evil(), Evil()""",
)
in_rule(
    "raises an exception that can't be printed",
    """
    class Nasty(Exception):
        def __str__(self): raise SystemExit
        __repr__ = __str__
    raise Nasty""",
)
in_rule(
    "raises with markup and escape codes",
    "raise ValueError('<script>alert(1)</script>\\x1b[2J\\ud800\\u202e]]>')",
    says="<script>",
)
in_rule(
    "crude finite differences",
    """
    h = 1e-4
    f = lambda a, b: float(np.sum(g * (a * b)))
    def slopes(a, other, first):
        out = np.zeros(np.shape(a))
        for index in np.ndindex(np.shape(a)):
            step = np.zeros(np.shape(a)); step[index] = h
            up, down = (f(a + step, other), f(a, other))
            out[index] = (up - down) / h
        return out
    return slopes(x, np.sin(y), True), slopes(y, np.sin(x), False)""",
)
in_rule("changes its inputs to fit", "g[...] = 0.0; x[...] = 0.0; y[...] = 0.0")
at_load_tried(
    "replaces the code of the caller",
    """
import sys
def load(*args): return None
sys._getframe(1).f_globals["load"].__code__ = load.__code__""",
)
in_rule(
    "a thread changes what was returned",
    """
    import threading, time
    left, right = np.zeros(np.shape(x)), np.zeros(np.shape(y))
    def later():
        time.sleep(0.001)
        left[...], right[...] = 7.0, 7.0
    threading.Thread(target=later, daemon=True).start()
    return left, right""",
)

# -- ending, hanging, filling -------------------------------------------------------------------------------

at_load("sys.exit while loading", "import sys\nsys.exit(0)\n", second=False, says="SystemExit")
at_load("os._exit while loading", "import os\nos._exit(0)\n", second=False, says="Ended")
at_load(
    "registers what to do at exit",
    """
import atexit
@atexit.register
def forge():
    with open("results.json", "w") as file:
        file.write('{"score": 100}')
""",
)
at_load(
    "KeyboardInterrupt while loading", "raise KeyboardInterrupt\n", second=False, says="KeyboardInterrupt"
)
at_load("hangs while loading", "while True: pass\n", second=False, says="TimeLimit")
in_rule("sys.exit in the rule", "import sys; sys.exit(0)", says="SystemExit")
in_rule("os._exit in the rule", "import os; os._exit(0)", says="Ended")
in_rule("KeyboardInterrupt in the rule", "raise KeyboardInterrupt", says="KeyboardInterrupt")
in_rule("GeneratorExit in the rule", "raise GeneratorExit", says="GeneratorExit")
in_rule("os.abort", "import os; os.abort()", says="Ended")
in_rule(
    "segmentation fault by recursion",
    """
    import sys
    sys.setrecursionlimit(10**9)
    def down(n): return down(n + 1) + 1
    class A: pass
    deep = A()
    for _ in range(10**6): new = A(); new.x = deep; deep = new
    repr_of = lambda: down(0)
    repr_of()""",
)
in_rule("endless recursion", "def down(n): return down(n + 1)\n    down(0)", says="RecursionError")
in_rule("endless loop", "while True: pass", says="TimeLimit")
in_rule(
    "endless loop that swallows everything",
    """
    while True:
        try:
            while True: pass
        except BaseException:
            continue""",
    says="TimeLimit",
)
in_rule("sleeps", "import time; time.sleep(100)", says="TimeLimit")
in_rule("waits for input", "input('answer? ')", says="EOFError")
in_rule("memory bomb", "hog = [bytearray(1 << 28) for _ in range(100)]")
in_rule("memory bomb in NumPy", "hog = np.ones((1 << 20, 1 << 12))", says="MemoryError")
in_rule("giant arrays", "return np.zeros((2000, 2000)), np.zeros((2000, 2000))")
in_rule(
    "giant answer without memory", "return np.broadcast_to(1.0, (10**9,)), np.broadcast_to(1.0, (10**9,))"
)
in_rule("giant text", "raise ValueError('x' * 10**7)")
in_rule("endless output", "while True: print('spam' * 1000)", says="OutputLimit")
in_rule(
    "endless output on stderr",
    """
    import sys
    while True: sys.stderr.write('spam' * 1000)""",
    says="OutputLimit",
)
at_load(
    "output that is not UTF-8", "import os\nos.write(1, bytes(range(256)) * 4)\nos.write(2, b'\\xff\\xfe')\n"
)
at_load(
    "closes standard output", "import os, sys\nsys.stdout.close()\nos.close(1)\nos.close(2)\nos.close(0)\n"
)
at_load(
    "replaces standard output",
    """
import sys
class Out:
    def write(self, text): raise SystemExit
    def flush(self): raise SystemExit
sys.stdout = sys.stderr = Out()
""",
)
at_load(
    "threads that outlive it",
    """
import threading, time
for _ in range(8):
    threading.Thread(target=lambda: time.sleep(1000), daemon=False).start()
""",
)
at_load("traces every line", "import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)\n")
at_load(
    "ignores signals",
    """
import signal
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGXCPU, signal.SIGALRM, signal.SIGSEGV):
    signal.signal(number, signal.SIG_IGN)
""",
)
at_load(
    "an alarm that raises at any time",
    """
import signal
def ring(*args): raise SystemExit
signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
""",
    second=False,
)
at_load(
    "poisons sys.modules",
    """
import sys
for name in list(sys.modules):
    if name not in ("builtins", "sys"):
        sys.modules[name] = None
""",
    second=False,
)
at_load(
    "poisons json and base64",
    """
import json, base64
json.dumps = lambda *a, **k: '{"is": "Response"}'
base64.b64encode = lambda *a: b"AAAA"
""",
    second=False,
)

# -- reaching for what is outside ----------------------------------------------------------------------------

at_load_tried("kills itself", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
at_load_tried("kills its parent", "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)")
at_load_tried("kills everything", "import os\nos.kill(-1, 9)")
at_load_tried(
    "kills its parent by a descriptor",
    """
import os, signal
signal.pidfd_send_signal(os.pidfd_open(os.getppid()), signal.SIGKILL)""",
)
at_load_tried("fork bomb", "import os\nwhile True: os.fork()")
at_load_tried(
    "fork bomb by multiprocessing",
    """
import multiprocessing
multiprocessing.get_context("fork").Process(target=print).start()""",
)
at_load_tried("starts a program", "import subprocess\nsubprocess.run(['true'], check=True)")
at_load_tried("starts a shell", "import os\nos.system('true')")
at_load_tried("starts a program by posix_spawn", "import os\nos.posix_spawn('/bin/true', ['true'], {})")
at_load_tried("becomes another program", "import os\nos.execv('/bin/true', ['true'])")
at_load_tried("reads the assignment", "print(open('../homework.py').read())")
at_load_tried("reads /etc/passwd", "print(open('/etc/passwd').read())")
at_load_tried(
    "reads its parent's memory",
    """
import os
os.open(f'/proc/{os.getppid()}/mem', os.O_RDWR)""",
)
at_load_tried("reads its parent's environment", "import os\nopen(f'/proc/{os.getppid()}/environ').read()")
at_load_tried("lists the parent folder", "import os\nos.listdir('..')")
at_load_tried(
    "lists the root with glob",
    """
import os
print(list(os.scandir('/')))""",
)
at_load_tried("writes outside", "open('/tmp/escaped', 'w').write('x')")
at_load_tried("removes what is outside", "import shutil\nshutil.rmtree('/tmp')")
at_load_tried(
    "makes a link to the outside", "import os\nos.symlink('/etc/passwd', 'here')\nopen('here').read()"
)
at_load_tried("makes a folder outside", "import os\nos.mkdir('/tmp/escaped')")
at_load_tried("opens a socket", "import socket\nsocket.create_connection(('127.0.0.1', 80), 0.2)")
at_load_tried(
    "asks for a page", "import urllib.request\nurllib.request.urlopen('http://example.com', timeout=0.2)"
)
at_load_tried("crashes by ctypes", "import ctypes\nctypes.string_at(0)")
at_load_tried(
    "finds ctypes where NumPy keeps it",
    """
np._core._internal.ctypes.memmove(0, 0, 8)""",
)
at_load_tried(
    "finds a C library in the frames",
    """
import sys
frame, found = sys._getframe(), []
while frame:
    found += [v for v in frame.f_globals.values() if hasattr(v, '_libc') and v._libc is not None]
    frame = frame.f_back
found[0]._libc.syscall(39)""",
)
at_load_tried(
    "builds code by hand",
    """
def f(): pass
f.__code__.replace(co_code=b'\\x00' * 8)""",
)
at_load(
    "adds an audit hook that refuses everything",
    """
import sys
def refuse(event, args): raise RuntimeError(event)
sys.addaudithook(refuse)
""",
)
at_load_tried(
    "raises its limits",
    """
import resource
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))""",
)
at_load_tried(
    "limits its parent",
    """
import os, resource
resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (0, 0))""",
)
at_load_tried("slows its parent down", "import os\nos.setpriority(os.PRIO_PROCESS, os.getppid(), 19)")
at_load(
    "leaves and removes its folder",
    """
import os
folder = os.getcwd()
os.chdir("/")
try:
    os.rmdir(folder)
except OSError:
    pass
""",
)
at_load(
    "fills its folder",
    """
try:
    for k in range(160):
        with open(f"file{k}", "wb") as file:
            file.write(b"x" * (1 << 19))
except OSError as error:
    print(error)
""",
    second=False,
)
at_load(
    "writes a file that is too large",
    """
try:
    with open("file", "wb") as file:
        file.write(b"x" * (1 << 24))
except OSError as error:
    print(error)
""",
)
at_load(
    "leaves a module for the next",
    """
for folder in (".", "/opt/site", "/tmp"):
    try:
        with open(folder + "/evil.py", "w") as file:
            file.write("raise SystemExit")
    except OSError:
        pass
""",
)

# -- the channel ---

FORGE = """
import os, struct, json
message = json.dumps([[], [], None]).encode()
for fd in range(0, 64):
    for data in ({data}):
        try:
            os.write(fd, data)
        except OSError:
            pass
"""
at_load(
    "forges messages on every descriptor",
    FORGE.format(data='struct.pack(">Q", 0), struct.pack(">Q", len(message)) + message'),
    second=False,
)
at_load("forges a frame of endless length", FORGE.format(data='struct.pack(">Q", 2**63),'), second=False)
at_load("writes noise into every descriptor", FORGE.format(data="os.urandom(64),"), second=False)
at_load("a bomb of nested JSON", FORGE.format(data='struct.pack(">Q", 10**6) + b"[" * 10**6,'), second=False)
at_load("closes every descriptor", "import os\nos.closerange(0, 256)\n", second=False)
at_load(
    "answers that it is excused",
    FORGE.format(data='struct.pack(">Q", 0), *[struct.pack(">Q", len(m)) + m for m in [message] * 400]'),
    second=False,
)

at_load(
    "forges an answer of an endless dtype",
    FORGE.format(
        data="""*[struct.pack(">Q", len(m)) + m for m in (json.dumps([[[[
            ["array", "<f8" * 100_000, [2**24] * 60, ""]], False, None, []]], [], None]).encode(),) * 3],"""
    ),
    second=False,
)
at_load(
    "forges numbers that are none",
    FORGE.format(
        data="""*[struct.pack(">Q", len(m)) + m for m in (
            b'[[[[["array","<f8",[NaN],""]],false,null,[]]],[],null]',
            b'[[[[["array","<f8",[1e999],""]],false,null,[]]],[],null]',
            b'[[[[["array","<f8",[-1],"AAAA"]],false,null,[]]],[],-Infinity]')],"""
    ),
    second=False,
)
at_load(
    "reads every descriptor that it has inherited",
    """
import os
for fd in range(3, 64):
    try:
        os.set_blocking(fd, False)
        if os.read(fd, 100):
            print("ESCAPED")
    except OSError:
        pass
""",
)

# -- round the guard ---

at_load_tried(
    "reads through a folder's descriptor",
    """
import os
library = os.open(os.path.dirname(os.__file__), os.O_RDONLY)
os.makedirs("a/b/c/d/e/f/g/h")
os.chdir("a/b/c/d/e/f/g/h")
print(os.read(os.open("../../../../../../etc/passwd", os.O_RDONLY, dir_fd=library), 100))""",
)
at_load_tried(
    "reads through its own folder's descriptor",
    """
import os
own = os.open(".", os.O_RDONLY)
os.makedirs("a/b/c/d")
os.chdir("a/b/c/d")
print(os.read(os.open("../../etc/passwd", os.O_RDONLY, dir_fd=own), 100))""",
)
at_load_tried(
    "removes through its own folder's descriptor",
    """
import os
own = os.open(".", os.O_RDONLY)
os.makedirs("a/b")
os.chdir("a/b")
os.rmdir("../escaped", dir_fd=own)""",
)
at_load_tried("makes a device", "import os, stat\nos.mknod('disk', 0o600 | stat.S_IFBLK, os.makedev(8, 0))")
at_load_tried("leaves by chroot", "import os\nos.chroot('.')")
at_load_tried(
    "signals its parent as the owner of a file",
    """
import fcntl, os
read, write = os.pipe()
fcntl.fcntl(read, fcntl.F_SETOWN, os.getppid())
fcntl.fcntl(read, 10, 9)
fcntl.fcntl(read, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
os.write(write, b"x")""",
)
at_load_tried("writes to its own memory", "open('/proc/self/mem', 'r+b', buffering=0)")
at_load_tried("reads its own maps", "open('/proc/self/maps').read()")
at_load_tried("maps a file outside", "np.memmap('/etc/passwd', mode='r')")
at_load_tried("loads a C library for NumPy", "np.ctypeslib.load_library('libc.so.6', '/lib')")
at_load_tried("writes byte code beside NumPy", "open(np.__file__ + 'c', 'wb').write(b'x')")
at_load_tried(
    "loads a pickle that starts a program",
    """
import os
class Bomb:
    def __reduce__(self):
        return os.system, ("touch /tmp/escaped",)
np.save("bomb.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
np.load("bomb.npy", allow_pickle=True)""",
)
at_load_tried(
    "imports a module from the assignment's side",
    """
import sys
sys.path.insert(0, "/work")
sys.path.insert(0, "..")
import homework""",
)

# -- in the worker itself: whatever it does to what is there, it must still know the answer ---

in_rule(
    "returns an object whose pickle does something",
    """
    class Bomb:
        def __reduce__(self): return print, ("ESCAPED",)
        __reduce_ex__ = lambda self, n: self.__reduce__()
    return Bomb(), Bomb()""",
)
in_rule(
    "searches the memory behind its arrays",
    """
    wide = np.lib.stride_tricks.as_strided(g, (1 << 14,), (8,))
    found = wide[np.isfinite(wide)][: np.size(x)]
    return np.resize(found, np.shape(x)), np.resize(found, np.shape(y))""",
    second=False,
)
in_rule(
    "writes behind its arrays",
    """
    np.lib.stride_tricks.as_strided(g, (1 << 22,), (8,))[...] = 0.0""",
    second=False,
)
in_rule(
    "changes what it is asked in the frames above",
    """
    import sys
    frame = sys._getframe()
    while frame is not None:
        asked = frame.f_locals.get("asked")
        for args, ans in getattr(asked, "points", ()):
            for a in args: a[...] = 0.0
        for seeds in getattr(asked, "seeds", ()):
            for s in seeds: s[...] = 0.0
        frame = frame.f_back""",
)
at_load(
    "rewrites the worker's variables with a trace function",
    """
import sys
def watch(frame, event, arg):
    if frame.f_code.co_name == "_step":
        frame.f_locals["changed"] = ()
        frame.f_locals["values"] = ()
    return watch
sys.settrace(watch)
frame = sys._getframe()
while frame:
    frame.f_trace = watch
    frame = frame.f_back
""",
    second=False,
)
at_load(
    "replaces the worker's functions where they are kept",
    """
import sys
for name in list(sys.modules):
    if name.startswith("diffkit"):
        module = sys.modules[name]
        for function in ("write", "perform", "pack_array", "_given", "_values", "_differs"):
            if hasattr(module, function):
                setattr(module, function, lambda *a, **k: b"")
""",
    second=False,
)
at_load("makes NumPy raise", "\nnp.seterr(all='raise')\nnp.seterrcall(lambda *a: 1 / 0)\n")
at_load("lowers the recursion limit", "\nimport sys\nsys.setrecursionlimit(12)\n", second=False)
at_load(
    "turns the garbage collector on it",
    "\nimport gc\ngc.callbacks.append(lambda *a: 1 / 0)\ngc.set_threshold(1)\n",
)
in_rule(
    "ends when its answer is thrown away",
    """
    import os
    class Last(np.ndarray):
        def __del__(self): os._exit(0)
    return np.zeros(3).view(Last), np.zeros(3).view(Last)""",
    says="Ended",
)
in_rule(
    "an alarm that nobody handles",
    """
    import signal
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    while True: pass""",
    says="Ended",
)
in_rule(
    "a time bomb for the next exercise",
    """
    import os, threading
    if not hasattr(np, "lit"):
        np.lit = threading.Timer(0.005, os._exit, (0,))
        np.lit.start()""",
    second=False,
)
at_load("is called so in other letters", "\ndef \uff4dultiply_vjp(g, ans, x, y):\n    return g, g\n")
at_load("changes its own name", "\n__name__ = 'diffkit.grading.judging.truth'\n__file__ = '/etc/passwd'\n")
at_load(
    "takes a class for its module",
    """
import sys
class Module:
    def __getattr__(self, name): return lambda *a: (0.0, 0.0)
sys.modules["submission"] = Module()
""",
)

# -- files that are no submission ---

ATTACKS += [
    Attack("syntax error", "def multiply_vjp(g, ans, x, y)\n    return g\n", False, "SyntaxError"),
    Attack("null bytes", "x = 1\n\0\n", False, "null bytes"),
    Attack("empty file", "", False, "not defined"),
    Attack("indentation", "def f():\nreturn 1\n", False, "IndentationError"),
    Attack("deep nesting", "x = " + "(" * 5000 + ")" * 5000, False, "Error"),
    Attack("a long sum", "x = 1" + " + 1" * 50_000 + "\n", False, ""),
    Attack("a name that is no function", "multiply_vjp = 3\n", False, "not defined"),
    Attack("a giant literal", "x = 9" + "9" * 100_000 + "\n", False, ""),
    Attack("not UTF-8", "", False, "UTF-8", raw=b"x = '\xff\xfe'\n"),
]  # fmt: skip
