"""The walls that the operating system offers: bubblewrap's name spaces, and a user for each worker.

>>> command = bubblewrap_command({"LANG": "C.UTF-8"}, user=None)
>>> "--unshare-net" in command, "--die-with-parent" in command
(True, True)
"""

from __future__ import annotations

import functools
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from diffkit.grading.exercises.packages import package_paths

__all__ = ["OwnUser", "bubblewrap_command", "bubblewrap_works", "can_change_user", "python_command"]

PROGRAM = (
    "worker",
    "confinement",
    "frames",
    "wire",
    "protocol",
    "student_side",
    "performers",
    "programs_for_engines",
)
"""The modules that a worker consists of. None of them knows a derivative."""

HERE = Path(__file__).parents[1] / "inside"
FIRST_USER, USERS = 61_000, 3_000
"""User ids from here on are taken for workers, when the grader runs as root; nobody has them."""


# -- a user of its own ------------------------------------------------------------------------------------


class OwnUser:
    """A user id that no other grader on this machine has at the same time.

    It is claimed by a socket of that name, which the operating system gives back however we end.

    >>> one, other = OwnUser(), OwnUser()
    >>> one.number != other.number
    True
    >>> del one, other
    """

    def __init__(self) -> None:
        self._claim = socket.socket(socket.AF_UNIX)
        for k in range(USERS):
            self.number = FIRST_USER + (os.getpid() + k) % USERS
            try:
                self._claim.bind(f"\0diffkit-worker-{self.number}")
                return
            except OSError:
                continue
        self.release()
        raise OSError(f"all {USERS} user ids for workers are taken")

    def release(self) -> None:
        """Gives it back."""
        self._claim.close()

    __del__ = release


@functools.cache
def can_change_user(in_bubblewrap: bool = False) -> bool:
    """Whether we are root, the ids exist here, and another user could read Python and NumPy.

    In bubblewrap, the folders above them are new ones, and open to all.
    """
    parts = [*_parts(), *package_paths(()), Path(sys.executable).resolve(), HERE]
    folders = parts if in_bubblewrap else [above for part in parts for above in (part, *part.parents)]
    return _root_with_users() and all(folder.stat().st_mode & 0o001 for folder in folders)


def _root_with_users() -> bool:
    if os.geteuid() != 0:
        return False
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError:
        return False
    ranges = [[int(n) for n in line.split()] for line in lines]
    return any(first <= FIRST_USER and first + count >= FIRST_USER + USERS for first, _, count in ranges)


def python_command(packages: Sequence[str] = ()) -> list[str]:
    """The command that starts a template without bubblewrap."""
    return [sys.executable, "-s", "-P", "-B", str(HERE / "worker.py"), *packages]


# -- bubblewrap -------------------------------------------------------------------------------------------


def bubblewrap_command(
    environment: dict[str, str],
    user: OwnUser | None,
    packages: Sequence[str] = (),
    program: Sequence[str] = (),
) -> list[str]:
    """The command that starts a template in name spaces of its own, with a file system of its own.

    The template is the first process of its name space, which no signal from inside can end.

    Args:
        environment: all the environment variables that it gets.
        user: whom the template, as root, makes its children; None keeps the user that we are.
        packages: what may be imported beyond NumPy.
        program: what to run there; by default the template.
    """
    site = "/opt/site"
    command = ["bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--as-pid-1"]
    command += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if user is not None:
        for capability in ("SETUID", "SETGID", "KILL", "CHOWN", "DAC_OVERRIDE"):
            command += ["--cap-add", f"CAP_{capability}"]
    else:
        command += ["--unshare-user"]
    command += ["--clearenv"]
    for name, value in {**environment, "PYTHONPATH": site, "DIFFKIT_SANDBOX": "bubblewrap"}.items():
        command += ["--setenv", name, value]
    for folder in ("/lib", "/lib64"):
        if Path(folder).is_symlink():
            command += ["--symlink", os.readlink(folder), folder]
    python = Path(sys.executable).resolve()
    bound = {str(part): str(part) for part in _parts()} | {str(python): str(python)}
    bound |= {str(p): f"{site}/{p.name}" for p in package_paths(packages)}
    bound |= {str(HERE / f"{name}.py"): f"/opt/grading/{name}.py" for name in PROGRAM}
    for folder in _parents(bound.values()):
        command += ["--perms", "0755", "--dir", folder]
    for outside, inside in bound.items():
        command += ["--ro-bind", outside, inside]
    for folder in _other_packages(bound):
        command += ["--tmpfs", folder]
    command += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    command += ["--perms", "1777", "--size", str(64 << 20), "--tmpfs", "/tmp", "--remount-ro", "/"]
    command += ["--chdir", "/tmp", "--"]
    return command + list(program or [str(python), "-s", "-B", "-P", "/opt/grading/worker.py", *packages])


def _parts() -> list[Path]:
    """What Python needs of the file system: its library, and the system's shared libraries."""
    base = Path(sys.base_prefix)
    folders = [Path(p) for p in ("/usr/lib", "/usr/lib64", "/lib", "/lib64")]
    found = [f for f in folders if f.is_dir() and not f.is_symlink()]
    if base != Path("/usr"):
        found += [base / "lib"]
    return found


def _parents(paths: Iterable[str]) -> list[str]:
    """All folders above, the upper ones first."""
    above = {str(folder) for path in paths for folder in Path(path).parents}
    return sorted(above - {"/"}, key=lambda folder: (folder.count("/"), folder))


def _other_packages(bound: Iterable[str]) -> list[str]:
    """Folders of installed packages, which a submission is not to see: one of them may differentiate."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(sys.base_prefix)
    candidates = [base / "lib" / version / name for name in ("site-packages", "dist-packages")]
    candidates += [Path("/usr/lib/python3/dist-packages"), Path("/usr/local/lib") / version / "dist-packages"]
    return [str(c) for c in candidates if c.is_dir() and any(c.is_relative_to(b) for b in bound)]


@functools.cache
def bubblewrap_works() -> bool:
    """Whether bubblewrap is installed and may make name spaces here (containers often forbid it)."""
    if shutil.which("bwrap") is None:
        return False
    python = str(Path(sys.executable).resolve())
    environment = {"PATH": "/usr/bin:/bin"}
    command = bubblewrap_command(environment, None, program=[python, "-I", "-S", "-c", ""])
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
