"""Which system calls a submission may make: a filter that the kernel holds, and that nothing takes off.

A submission computes with arrays and writes files in its own folder. It starts no process, so that one
process is all of it, and limits on that process are limits on the submission. It opens no socket, and
makes nothing that the operating system keeps beyond a process's end: System V and POSIX memory, message
queues, semaphores, keys. It sends no signal but to itself, and looks into no other process. What is
younger than this list is answered as a kernel answers that does not know it.

The filter is a program for seccomp's machine (Linux, seccomp(2)), written for x86-64 and 64-bit ARM.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from typing import Any

# Numbers on x86-64 and on 64-bit ARM (linux/unistd.h); -1 where there is no such call.
_REFUSED: dict[str, tuple[int, int]] = {
    # processes
    "fork": (57, -1), "vfork": (58, -1), "execve": (59, 221), "execveat": (322, 281),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "kill": (62, 129), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "sched_setparam": (142, 118), "sched_setscheduler": (144, 119), "sched_setattr": (314, 274),
    "sched_setaffinity": (203, 122), "migrate_pages": (256, 238), "move_pages": (279, 239),
    # what outlives a process
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190), "semop": (65, 193),
    "semctl": (66, 191), "semtimedop": (220, 192), "msgget": (68, 186), "msgsnd": (69, 189),
    "msgrcv": (70, 188), "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "mq_timedsend": (242, 182), "mq_timedreceive": (243, 183), "mq_notify": (244, 184),
    "mq_getsetattr": (245, 185), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "memfd_create": (319, 279), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    # who may do what with a file: Landlock does not look at that
    "chmod": (90, -1), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, -1), "fchown": (93, 55),
    "lchown": (94, -1), "fchownat": (260, 54), "utime": (132, -1), "utimes": (235, -1),
    "futimesat": (261, -1), "utimensat": (280, 88),
    # the network, and sockets of every kind
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "sendto": (44, 206),
    "sendmsg": (46, 211), "recvmsg": (47, 212), "bind": (49, 200), "listen": (50, 201),
    "socketpair": (53, 199), "accept4": (288, 242), "recvmmsg": (299, 243), "sendmmsg": (307, 269),
    # the machine
    "mknod": (133, -1), "mknodat": (259, 33), "personality": (135, 92), "pivot_root": (155, 41),
    "adjtimex": (159, 171), "chroot": (161, 51), "acct": (163, 89), "settimeofday": (164, 170),
    "mount": (165, 40), "umount2": (166, 39), "swapon": (167, 224), "swapoff": (168, 225),
    "reboot": (169, 142), "sethostname": (170, 161), "setdomainname": (171, 162), "iopl": (172, -1),
    "ioperm": (173, -1), "init_module": (175, 105), "delete_module": (176, 106), "quotactl": (179, 60),
    "syslog": (103, 116), "clock_settime": (227, 112), "kexec_load": (246, 104), "unshare": (272, 97),
    "perf_event_open": (298, 241), "fanotify_init": (300, 262), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "clock_adjtime": (305, 266), "setns": (308, 268),
    "finit_module": (313, 273), "seccomp": (317, 277), "kexec_file_load": (320, 294), "bpf": (321, 280),
    "userfaultfd": (323, 282),
}  # fmt: skip
_YOUNGER = 334, 293
"""The last number of the old tables. From 424 on, numbers are the same on all machines."""
_ALLOWED_YOUNGER = (
    *(436, 437, 439, 441),  # close_range, openat2, faccessat2, epoll_pwait2
    *(449, 451, 454, 455, 456, 462),  # futex_waitv, cachestat, futex_*, mseal
)
_CLONE, _TGKILL, _FCNTL, _IOCTL, _PRCTL, _PRLIMIT = (
    *((56, 220), (234, 131), (72, 25), (16, 29), (157, 167), (302, 261)),
)

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_THREAD = 0x10000  # CLONE_THREAD
# F_SETOWN, F_SETSIG, F_SETOWN_EX send signals; F_SETLEASE and F_NOTIFY do in the end; F_SETPIPE_SZ is memory.
_FCNTL_REFUSED = 8, 10, 15, 1024, 1026, 1031
_IOCTL_REFUSED = 0x5412, 0x8901, 0x8902  # TIOCSTI, FIOSETOWN, SIOCSPGRP
_SIGKILL, _SIGSTOP = 9, 19
_PRCTL_ALLOWED = 15, 16  # PR_SET_NAME, PR_GET_NAME

_LOAD, _EQUAL, _GREATER, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_PERMISSION, _UNKNOWN = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS


def _instruction(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)


def _argument(number: int) -> bytes:
    return _instruction(_LOAD, 16 + 8 * number)  # the lower half of it, on a little-endian machine


def _program(machine: str, process: int) -> bytes:
    """The filter: a list of instructions, each eight bytes long."""
    column, architecture = _ARCHITECTURES[machine]

    def when(number: int, body: list[bytes]) -> list[bytes]:
        return [_instruction(_EQUAL, number, 0, len(body)), *body]

    def back(value: int) -> bytes:
        return _instruction(_RETURN, value)

    def only(argument: int, values: tuple[int, ...], fits: int, otherwise: int) -> list[bytes]:
        tests = [x for v in values for x in (_instruction(_EQUAL, v, 0, 1), back(fits))]
        return [_argument(argument), *tests, back(otherwise)]

    program = [_instruction(_LOAD, 4), _instruction(_EQUAL, architecture, 1, 0), back(_KILL)]
    program += [_instruction(_LOAD, 0)]
    for younger in _ALLOWED_YOUNGER:
        program += when(younger, [back(_ALLOW)])
    program += [_instruction(_GREATER, _YOUNGER[column], 0, 1), back(_UNKNOWN)]
    threads = [_argument(0), _instruction(_ANY_BIT, _THREAD, 0, 1), back(_ALLOW), back(_PERMISSION)]
    program += when(_CLONE[column], threads)
    # That a process was killed says that somebody else did it, or the kernel for want of memory.
    own = [_argument(0), _instruction(_EQUAL, process, 1, 0), back(_PERMISSION)]
    program += when(_TGKILL[column], own + only(2, (_SIGKILL, _SIGSTOP), _PERMISSION, _ALLOW))
    program += when(_FCNTL[column], only(1, _FCNTL_REFUSED, _PERMISSION, _ALLOW))
    program += when(_IOCTL[column], only(1, _IOCTL_REFUSED, _PERMISSION, _ALLOW))
    program += when(_PRCTL[column], only(0, _PRCTL_ALLOWED, _ALLOW, _PERMISSION))
    program += when(_PRLIMIT[column], only(0, (0, process), _ALLOW, _PERMISSION))
    for numbers in _REFUSED.values():
        if (number := numbers[column]) >= 0:
            program += when(number, [back(_PERMISSION)])
    return b"".join([*program, back(_ALLOW)])


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def can_filter() -> bool:
    """Whether this machine's system calls are known here, and its kernel has filters.

    >>> can_filter() in (True, False)
    True
    """
    known = sys.platform == "linux" and platform.machine() in _ARCHITECTURES and sys.maxsize > 2**32
    return known and os.path.exists("/proc/sys/kernel/seccomp/actions_avail")


def filter_system_calls(libc: Any) -> None:
    """Puts the filter on this process, for good; without one, the walls around it are what there is.

    Raises:
        OSError: if there are filters here, and this one can't be put on.
    """
    if not can_filter():
        return
    code = _program(platform.machine(), os.getpid())
    program = _Program(len(code) // 8, code)
    set_filter, mode = 22, 2  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
    if libc.prctl(set_filter, mode, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "the filter of system calls can't be put on")
