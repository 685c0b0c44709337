"""The walls that the operating system offers: bubblewrap's name spaces, and users for submissions.

>>> command = bubblewrap_command({"LANG": "C.UTF-8"}, users=False)
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

ON_LINUX = sys.platform == "linux" and hasattr(os, "fork")
"""Whether there are walls at all: name spaces, users for submissions, Landlock, system-call filters."""

HERE = Path(__file__).parents[1] / "inside"
"""What is loaded beside a student's code. Nothing in it knows a derivative."""


# -- users of their own ----------------------------------------------------------------------------------

RANGES = ((70_000, 20_000), (60_706, 448))
"""First user ids and how many: some that no distribution gives away, nor systemd (systemd.io/UIDS-GIDS):
above what services get, below what containers do; and, where ids end at 65535, between two such ranges."""

EACH = 64
"""User ids for one grader: one for who ends processes, and the others for one submission after the other."""


class Users:
    """User ids that nobody has, and no other grader on this machine at the same time.

    They are claimed by a socket of that name, which the operating system gives back however we end.

    >>> one, other = Users(), Users()
    >>> one.killer != other.killer, one.next() != one.next() != other.next()
    (True, True)
    >>> one.release()
    >>> other.release()
    """

    def __init__(self) -> None:
        self._claim = socket.socket(socket.AF_UNIX)
        self._used = 0
        first, count = _range() or RANGES[0]
        blocks = count // EACH
        for k in range(blocks):
            self.killer = first + (os.getpid() + k) % blocks * EACH
            if any(map(_somebody, range(self.killer, self.killer + EACH))):
                continue
            try:
                self._claim.bind(f"\0diffkit-worker-{self.killer}")
                return
            except OSError:
                continue
        self.release()
        raise OSError(f"all {count} user ids for workers are taken")

    def next(self) -> int:
        """The next submission's: one that none of the last sixty has had."""
        self._used += 1
        return self.killer + 1 + (self._used - 1) % (EACH - 1)

    def release(self) -> None:
        """Gives them back."""
        self._claim.close()

    __del__ = release


def _somebody(number: int) -> bool:
    import pwd  # not on Windows

    try:
        pwd.getpwuid(number)
    except KeyError:
        return False
    return True


def _range() -> tuple[int, int] | None:
    """The range of ids that exist here: in a container there may be fewer than 65536."""
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError:
        return None
    here = [(first, first + count) for first, _, count in (map(int, line.split()) for line in lines)]
    fits = (r for r in RANGES if any(start <= r[0] and r[0] + r[1] <= end for start, end in here))
    return next(fits, None)


def why_no_users(in_bubblewrap: bool = False) -> str:
    """Why submissions can't get users of their own here, or "".

    In bubblewrap, the folders above Python and NumPy are new ones, and open to all.
    """
    if not ON_LINUX:
        return "it is there on Linux only"
    if os.geteuid() != 0:
        return "only root may change users"
    if _range() is None:
        return "there are too few user ids here"
    parts = [*_parts(), *package_paths(()), Path(sys.executable).resolve(), HERE]
    folders = parts if in_bubblewrap else [above for part in parts for above in (part, *part.parents)]
    closed = next((f for f in folders if not f.stat().st_mode & 0o001), None)
    return f"other users can't read {closed}, where Python or NumPy is" if closed is not None else ""


def python_command(packages: Sequence[str] = ()) -> list[str]:
    """The command that starts a template without bubblewrap."""
    return [sys.executable, "-s", "-P", "-B", str(HERE / "worker.py"), *packages]


# -- bubblewrap -------------------------------------------------------------------------------------------


def bubblewrap_command(
    environment: dict[str, str],
    users: bool,
    packages: Sequence[str] = (),
    program: Sequence[str] = (),
) -> list[str]:
    """The command that starts a template in name spaces of its own, with a file system of its own.

    The template is the first process of its name space, which no signal from inside can end.

    Args:
        environment: all the environment variables that it gets.
        users: whether the template, as root, gives its children users of their own.
        packages: what may be imported beyond NumPy.
        program: what to run there; by default the template.
    """
    site = "/opt/site"
    command = ["bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--as-pid-1"]
    command += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if users:
        for capability in ("SETUID", "SETGID", "KILL", "CHOWN", "DAC_OVERRIDE", "FOWNER"):
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
    bound |= {str(HERE): "/opt/inside"}
    for folder in _parents(bound.values()):
        command += ["--perms", "0755", "--dir", folder]
    for outside, inside in bound.items():
        command += ["--ro-bind", outside, inside]
    for folder in _other_packages(bound):
        command += ["--tmpfs", folder]
    command += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    command += ["--perms", "1777", "--size", str(64 << 20), "--tmpfs", "/tmp", "--remount-ro", "/"]
    command += ["--chdir", "/tmp", "--"]
    return command + list(program or [str(python), "-s", "-B", "-P", "/opt/inside/worker.py", *packages])


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
def why_no_bubblewrap(users: bool = False) -> str:
    """Why bubblewrap can't be used here, as it would be used, or "" (containers often forbid it)."""
    if not ON_LINUX:
        return "it is there on Linux only"
    if shutil.which("bwrap") is None:
        return "it is not installed"
    python = str(Path(sys.executable).resolve())
    environment = {"PATH": "/usr/bin:/bin"}
    command = bubblewrap_command(environment, users, program=[python, "-I", "-S", "-c", ""])
    reason = ""
    for _ in range(2):  # a machine under load is no reason for a lower wall
        try:
            done = subprocess.run(command, capture_output=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = f"it does not start: {error}"
            continue
        if done.returncode == 0:
            return ""
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no word"]
        reason = said[-1].removeprefix("bwrap: ")[:200]
    return f"it may not make name spaces here ({reason})"
