"""What a submission's process gives up before it runs a line of the student's code.

Four layers, each of which is there whatever the others do: the operating system's limits and, where the
kernel has it, Landlock (no file but Python's library, NumPy and the submission's own folder; Linux 5.13); a
filter of system calls (:mod:`diffkit.grading.inside.system_calls`); a user that nobody else has, where the
grader is root; and a guard inside the interpreter. The guard gives the clear messages. It is no wall:
whoever can write to memory (``as_strided`` can) gets past it, or whoever finds its variables.

This runs on the submission's side, so it knows nothing of diffkit.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from diffkit.grading.inside.system_calls import can_filter, filter_system_calls

_libc: Any = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None

SET_DEATH_SIGNAL, SET_DUMPABLE, SET_SUBREAPER, SET_NO_NEW_PRIVILEGES = 1, 4, 36, 38


def prctl(option: int, value: int) -> None:
    """Linux's ``prctl(2)``; a kernel that does not know the option is no error."""
    with contextlib.suppress(OSError, AttributeError):
        _libc.prctl(option, value, 0, 0, 0)


def confine(limits: dict[str, Any], uid: int | None, counted: bool, folder: str) -> None:
    """Confines this process, for good.

    Args:
        limits: the fields of :class:`~diffkit.grading.exercises.limits.Limits`.
        uid: a user to become, if this process is root's.
        counted: whether processes can be counted here without counting the user's others.
        folder: the submission's own folder, the only one that it may write in.
    """
    if uid is not None:
        _own_namespaces()
    _limit(limits, uid, counted)
    prctl(SET_DEATH_SIGNAL, signal.SIGKILL)  # after the change of user, which would reset it
    _landlock(folder)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    filter_system_calls(_libc)
    _guard(folder)


def strip_search_path() -> None:
    """Leaves the standard library on the search path, and of other packages what is loaded already."""
    library = os.path.realpath(os.path.dirname(os.__file__))
    kept = [p for p in sys.path if os.path.realpath(p).startswith(library) and "-packages" not in p]
    sys.path[:] = [p for p in sys.path if p.endswith(".zip")] + kept
    sys.meta_path[:] = [f for f in sys.meta_path if getattr(f, "__module__", "").startswith("_frozen")]
    sys.path_importer_cache.clear()


# -- limits ---------------------------------------------------------------------------------------------


def _limit(limits: dict[str, Any], uid: int | None, counted: bool) -> None:
    import resource

    processes = int(limits["processes"])
    for name, value in (
        ("RLIMIT_AS", int(limits["memory"])),
        ("RLIMIT_CPU", int(limits["processor_time"]) + 1),
        ("RLIMIT_FSIZE", int(limits["file_size"])),
        ("RLIMIT_NOFILE", 64),
        ("RLIMIT_CORE", 0),
    ):
        _set_limit(getattr(resource, name), value)
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    else:
        _drop_capabilities()
    if uid is None and not counted:
        # The kernel counts the user's processes, whoever started them; all there are is an upper bound.
        with contextlib.suppress(OSError, ValueError), open("/proc/loadavg") as load:
            processes += int(load.read().split()[3].partition("/")[2])
    _set_limit(resource.RLIMIT_NPROC, processes)


def _own_namespaces() -> None:
    """Where root may do it: memory and queues of System V's, and a network, that nobody else sees."""
    ipc, network = 0x08000000, 0x40000000
    with contextlib.suppress(AttributeError):  # where sockets are refused, no other network is needed
        _libc.unshare(ipc if can_filter() else ipc | network)


def _drop_capabilities() -> None:
    """As root without another user to become: what root can do beyond its own files is given up."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this process; capabilities(7)
    with contextlib.suppress(AttributeError):
        _libc.capset(header, (ctypes.c_uint32 * 6)())


def _set_limit(which: int, value: int) -> None:
    import resource  # loaded before the fork, and not there on Windows

    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    try:
        resource.setrlimit(which, (value, value))
    except (OSError, ValueError):
        if sys.platform == "linux":
            raise
        # macOS refuses RLIMIT_AS, whatever the value: that is no fault of the submission's.


# -- Landlock: the file system, TCP and signals, by the kernel, without privileges -----------------------
#
# The numbers are those of linux/landlock.h; the system calls have the same on every architecture.

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_MAKE_DEVICES = 1 << 6 | 1 << 11
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # how many there are, from which version on
_TCP = 0b11
_OUTSIDE = 0b11  # abstract sockets and signals


def landlock_version() -> int:
    """The version of Landlock that the kernel offers; 0 for none.

    >>> landlock_version() >= 0
    True
    """
    if sys.platform != "linux":
        return 0
    with contextlib.suppress(AttributeError, OSError):
        return max(0, int(_libc.syscall(_CREATE, None, 0, 1)))
    return 0


def _landlock(folder: str) -> None:
    version = landlock_version()
    if not version:
        return
    rights = (1 << max(n for since, n in _FILE_RIGHTS.items() if since <= version)) - 1
    handled = [rights, _TCP if version >= 4 else 0, _OUTSIDE if version >= 6 else 0]
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = int(_libc.syscall(_CREATE, (ctypes.c_uint64 * 3)(*handled), size, 0))
    if rules < 0:
        return
    reading = _EXECUTE | _READ_FILE | _READ_DIR
    for path in (*_library_folders(), "/usr/lib", "/lib", "/lib64"):
        _allow(rules, path, reading)
    for path in ("/dev/null", "/dev/urandom"):
        _allow(rules, path, _READ_FILE | 1 << 1)
    _allow(rules, folder, rights & ~(_EXECUTE | _MAKE_DEVICES))
    prctl(SET_NO_NEW_PRIVILEGES, 1)
    _libc.syscall(_RESTRICT, rules, 0)
    os.close(rules)


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    _libc.syscall(_ADD_RULE, rules, 1, ctypes.byref(_PathBeneath(rights, fd)), 0)
    os.close(fd)


@functools.cache
def _library_folders() -> list[str]:
    """Where Python's library is, and what of other packages a submission may read."""
    found = [os.path.realpath(os.path.dirname(os.__file__))]
    for name in PACKAGES:
        for folder in getattr(sys.modules.get(name), "__path__", ()):
            package = os.path.realpath(folder)
            beside = os.path.dirname(package)
            found += [package, *(f"{beside}/{f}" for f in os.listdir(beside) if f.endswith(".libs"))]
    return found


PACKAGES = ["numpy"]
"""Packages that submissions may import; the assignment may name more."""


# -- the guard in the interpreter ------------------------------------------------------------------------

_PROCESSES, _SIGNALS, _NETWORK = "start processes", "send signals", "use the network"
_REFUSED = {
    "os.kill": _SIGNALS,
    "os.killpg": _SIGNALS,
    "signal.pthread_kill": _SIGNALS,
    "os.fork": _PROCESSES,
    "os.forkpty": _PROCESSES,
    "os.exec": _PROCESSES,
    "os.posix_spawn": _PROCESSES,
    "os.spawn": _PROCESSES,
    "os.system": _PROCESSES,
    "subprocess.Popen": _PROCESSES,
    "pty.spawn": _PROCESSES,
    "_posixsubprocess.fork_exec": _PROCESSES,
    "socket.__new__": _NETWORK,
    "socket.connect": _NETWORK,
    "socket.bind": _NETWORK,
    "socket.getaddrinfo": _NETWORK,
    "socket.gethostbyname": _NETWORK,
    "resource.prlimit": "limit other processes",
    "sqlite3.connect": "open databases",
    "code.__new__": "build code objects",
    "sys.addaudithook": "add an audit hook",
    "os.symlink": "make links",
    "os.link": "make links",
}
# Changes of the file system, refused outside the submission's own folder.
_CHANGES = frozenset(
    "os.chmod os.chown os.mkdir os.remove os.rename os.rmdir os.truncate os.utime os.setxattr".split()
)
_LISTINGS = frozenset({"os.listdir", "os.scandir"})
_WALLED = frozenset(
    {"_ctypes", "ctypes", "cffi", "diffkit", "gdb", "pip"}
    | {"autograd", "casadi", "jax", "micrograd", "numdifftools", "sympy", "tensorflow", "torch"}
)
# These say nothing to an audit hook, and reach other processes of the same user, or other files.
_REMOVED = (
    *("pidfd_open", "pidfd_send_signal", "setpriority", "setns", "unshare"),
    *("sched_setaffinity", "sched_setparam", "sched_setscheduler"),
    *("chroot", "mknod"),  # which take root, and lead out of any folder
)


F_SETOWN, F_SETSIG, F_SETOWN_EX = 8, 10, 15  # of Linux's fcntl(2); Python's module has the first only


def _guard(folder: str) -> None:
    """Refuses what a submission has no business with, through an audit hook, which can't be removed."""
    for module in {sys.modules[n] for n in ("os", "posix", "signal", "_signal") if n in sys.modules}:
        for name in _REMOVED:
            if hasattr(module, name):
                delattr(module, name)
    hook = _hook(folder)
    for name in [n for n in sys.modules if n.partition(".")[0] in _WALLED]:
        del sys.modules[name]
    for holder, name in _names_of_ctypes():
        holder[name] = None
    globals().update(_libc=None, _PathBeneath=None)
    sys.addaudithook(hook)


@functools.cache
def _names_of_ctypes() -> list[tuple[dict[str, Any], str]]:
    """Where there is a way to C's functions by somebody else's name for ctypes, NumPy's or our own.

    They are looked for before the fork: looking touches every page of the template's memory.
    """
    holders = [vars(module) for module in list(sys.modules.values()) if isinstance(module, ModuleType)]
    return [(holder, name) for holder in holders for name, value in holder.items() if value is ctypes]


def _hook(folder: str) -> Callable[[str, tuple[Any, ...]], None]:
    # Everything that the hook uses is its own, so that nothing it relies on can be replaced by name.
    library, own = tuple(p + os.sep for p in _library_folders()), os.path.realpath(folder) + os.sep
    realpath, fsdecode, writing = os.path.realpath, os.fsdecode, os.O_WRONLY | os.O_RDWR | os.O_CREAT
    refused, changes, listings, walled = dict(_REFUSED), _CHANGES, _LISTINGS, _WALLED
    isdir, owners = os.path.isdir, (F_SETOWN, F_SETSIG, F_SETOWN_EX)
    devices, packages = ("/dev/null", "/dev/urandom"), ("/site-packages/", "/dist-packages/")
    allowed_packages = library[1:]

    def readable(path: str) -> bool:
        if path.startswith(allowed_packages):
            return True
        return path.startswith(library) and not any(p in path for p in packages)

    def real_path(path: Any) -> str:
        text = fsdecode(path)
        # It may be meant from another folder than this one (dir_fd), of which nothing is told here.
        if not text.startswith("/") and ".." in text.split("/"):
            raise PermissionError(f"a submission may not go by {text}")
        return realpath(text)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = args
            if isinstance(path, int) or path is None:
                return
            real = real_path(path)
            if real.startswith(own) or real in devices:
                return
            if (isinstance(flags, int) and flags & writing) or not readable(real) or isdir(real):
                raise PermissionError(f"a submission may not open {real}")
        elif event == "import":
            if args[0].partition(".")[0] in walled:
                raise ImportError(f"a submission may not import {args[0]}")
        elif event in changes:
            for path in args[: 2 if event == "os.rename" else 1]:
                if not isinstance(path, int) and not real_path(path).startswith(own):
                    raise PermissionError(f"a submission may not change {fsdecode(path)}")
        elif event in listings:
            if isinstance(args[0], int):  # opened before, and looked at then
                return
            where = realpath(fsdecode(args[0] or ".")) + "/"
            if not where.startswith(own) and not readable(where):
                raise PermissionError(f"a submission may not list {where}")
        elif event == "fcntl.fcntl":
            if args[1] in owners:  # whoever owns a file gets a signal, of one's choice, when it is written
                raise PermissionError("a submission may not send signals")
        elif event.startswith("ctypes."):
            raise PermissionError("a submission may not use ctypes")
        elif event == "object.__setattr__":
            if args[1] in ("__code__", "__globals__", "__closure__"):
                raise PermissionError("a submission may not change a function's code")
        elif event in refused:
            raise PermissionError(f"a submission may not {refused[event]}")

    return hook


_PARTS = {
    "matplotlib": ("pyplot",),
    "scipy": "special linalg integrate interpolate ndimage optimize signal sparse.linalg stats".split(),
}
"""Parts of packages that need as they are imported what a submission may not have: ctypes, or a cache."""


def preload(packages: Sequence[str]) -> dict[str, str]:
    """Imports what a fork should find loaded: NumPy's parts, and the packages that are allowed.

    Returns those that can't be imported, with the reasons.
    """
    import importlib

    failed: dict[str, str] = {}

    with contextlib.suppress(ImportError):
        importlib.import_module("resource")
    # asyncio changes the code of functions as it is imported, which a submission may not do.
    for name in ("numpy.linalg", "numpy.random", "numpy.fft", "asyncio", "dataclasses", "linecache"):
        importlib.import_module(name)
    for name in packages:
        try:
            for part in (name, *(f"{name}.{part}" for part in _PARTS.get(name, ()))):
                importlib.import_module(part)
        except ImportError as error:
            failed[name] = str(error)
    PACKAGES[1:] = packages
    np.linalg.solve(np.eye(2), np.ones(2))
    _names_of_ctypes()
    _library_folders()
    return failed
