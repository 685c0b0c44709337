"""What one submission may use of the machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        wall_time: seconds by the clock for each exercise, and for loading; on Linux without those in which
            it could have run and others had the processors, so that a busy machine fails nobody.
        processor_time: seconds of computing, for all of it.
        memory: bytes of address space.
        processes: processes and threads, where the operating system can count them. Where system calls
            are filtered, threads only: a submission is one process.
        file_size: bytes of a file that it writes.
        disk: bytes of all files that it writes, together.
        files: how many files and folders it may have at a time.
        output: bytes that it prints.
        answer: bytes of one response. The largest right one has some ten thousand.
        answers: bytes of all of them.

    >>> Limits(memory=1 << 30).wall_time
    10.0
    """

    wall_time: float = 10.0
    processor_time: float = 30.0
    memory: int = 2 << 30
    processes: int = 64
    file_size: int = 1 << 20
    disk: int = 64 << 20
    files: int = 2000
    output: int = 1 << 20
    answer: int = 4 << 20
    answers: int = 32 << 20
