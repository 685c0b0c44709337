"""Which walls there are, which of them can stand on this machine, and why not the others.

=============  ==========================  ====================  ==========================
wall           other users' files          processes, network    a user for each submission
=============  ==========================  ====================  ==========================
bubblewrap,    not there                   not there             yes
as root
bubblewrap     not there                   not there             no
own user       Landlock                    system-call filter    yes
guard only     Landlock                    system-call filter    no
=============  ==========================  ====================  ==========================

The system-call filter, Landlock, the limits and the guard in the interpreter stand in all of them, where
the kernel has them.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass

from diffkit.errors import InputError
from diffkit.grading.inside.confinement import landlock_version
from diffkit.grading.inside.system_calls import can_filter
from diffkit.grading.wall.sandbox import why_no_bubblewrap, why_no_users

SANDBOXES = ("auto", "bubblewrap", "user", "off")

ELSEWHERE = (
    "To grade what others handed in, use Linux, where it can be walled in: on a server, in a container "
    "(docker run -it python:3.13 bash), or on Windows in WSL (wsl --install)"
)


@dataclass(frozen=True)
class Wall:
    """A wall.

    Attributes:
        name: "bubblewrap", "user" or "off", as ``--sandbox`` calls it.
        title: the same for a reader: "bubblewrap, a user for each submission".
        bubblewrap: whether submissions run in bubblewrap.
        own_users: whether each gets a user of its own.
        why_not: why it can't stand here, or "".
        higher: why the walls above it can't stand here, if it was taken in place of those.
    """

    name: str
    title: str
    bubblewrap: bool
    own_users: bool
    why_not: str = ""
    higher: str = ""

    @property
    def process_only(self) -> bool:
        """Whether a process with a time limit is all, for want of forks and limits (Windows)."""
        return self.name == "off" and not hasattr(os, "fork")

    @property
    def in_force(self) -> str:
        """What it keeps from submissions, in a sentence, and why there is no higher one."""
        if self.process_only:
            return (
                "PROCESS ONLY: a process with limits of time and output, since this system has no others; "
                f"it is for one's own code. {ELSEWHERE}"
            )
        landlock, filtered = landlock_version(), can_filter()
        calls = "one process, no sockets, nothing left behind (system calls filtered)" if filtered else ""
        files = f"no view of other files (Landlock {landlock})" if landlock else ""
        user = "a user of its own for each submission" if self.own_users else ""
        space = "no network, no view of the file system, no other processes" if self.bubblewrap else files
        begin = {"bubblewrap": "bubblewrap: ", "user": "no bubblewrap: "}.get(self.name, "GUARD ONLY: ")
        text = begin + "; ".join(part for part in (space, user, calls) if part)
        if self.name == "off":
            text += "; this stops accidents and casual cheating only"
        return text + (f" [{self.higher}]" if self.higher else "")


@functools.cache
def walls() -> tuple[Wall, ...]:
    """All walls, the highest first, each with the reason why it can't stand here.

    >>> [wall.name for wall in walls()]
    ['bubblewrap', 'bubblewrap', 'user', 'off']
    """
    only = (
        "limits and a guard in the interpreter only" if hasattr(os, "fork") else "a process with a time limit"
    )
    no_users = why_no_users(in_bubblewrap=True)
    return (
        Wall(
            "bubblewrap",
            "bubblewrap, and a user of its own for each submission",
            True,
            True,
            no_users or why_no_bubblewrap(users=True),
        ),
        Wall("bubblewrap", "bubblewrap", True, False, why_no_bubblewrap(users=False)),
        Wall("user", "a user of its own for each submission", False, True, why_no_users()),
        Wall("off", only, False, False),
    )


def chosen_wall(sandbox: str) -> Wall:
    """The wall that is asked for, or for "auto" the highest that can stand here.

    Raises:
        InputError: if there is no such wall, or it can't stand here.

    >>> chosen_wall("off").title
    'limits and a guard in the interpreter only'
    """
    if sandbox not in SANDBOXES:
        raise InputError(f"sandbox is {sandbox!r}, but must be one of {', '.join(SANDBOXES)}")
    wanted = [wall for wall in walls() if sandbox in ("auto", wall.name)]
    stands = next((wall for wall in wanted if not wall.why_not), None)
    if stands is None:
        reasons = dict.fromkeys(wall.why_not for wall in wanted)
        raise InputError(f"--sandbox {sandbox} can't be had here: {'; '.join(reasons)}")
    if sandbox != "auto":
        return stands
    above = wanted[: wanted.index(stands)]
    # That an ordinary user has no other users to give is no news.
    missed = dict.fromkeys(f"{wall.title}: {wall.why_not}" for wall in above if wall.name != stands.name)
    if not missed:
        return stands
    return Wall(**{**stands.__dict__, "higher": f"no higher wall here: {'; '.join(missed)}"})
