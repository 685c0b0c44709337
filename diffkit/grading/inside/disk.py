"""What a submission has written to the disk: how much it is, and its removal, whatever its form.

Whoever writes may nest folders three thousand deep, take away its own rights to them, or make a million
empty files. So nothing here recurses, follows a link, or goes by a long path.
"""

from __future__ import annotations

import contextlib
import os


def written(folder: str, most: int) -> tuple[int, int]:
    """The bytes and the number of files and folders in a folder.

    It stops counting after ``most``, and takes for more than that what can't be looked into.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.makedirs(folder + "/a/b")
    ...     written(folder, 1000)[1]
    2
    """
    size = entries = 0
    waiting = [os.open(folder, _FOLDER)]
    try:
        while waiting and entries <= most:
            here = waiting.pop()
            try:
                with os.scandir(here) as found:
                    for entry in found:
                        entries += 1
                        if entries > most:
                            break
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(os.open(entry.name, _FOLDER, dir_fd=here))
            except (FileNotFoundError, NotADirectoryError):
                pass  # it has changed while we looked
            except OSError:
                entries = most + 1
            finally:
                os.close(here)
    finally:
        for file in waiting:
            os.close(file)
    return size, entries


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def empty(folder: str) -> None:
    """Removes all that is in a folder. No process writes there any more.

    Folders within folders are moved up first, so that there is nothing deep to go into.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.makedirs(folder + "/a" * 500)
    ...     empty(folder)
    ...     os.listdir(folder)
    []
    """
    number = 0
    while folders := [name for name in os.listdir(folder) if not _unlinked(f"{folder}/{name}")]:
        removed = 0
        for name in folders:
            with contextlib.suppress(OSError):
                os.chmod(f"{folder}/{name}", 0o700)
            with contextlib.suppress(OSError):
                for inner in os.listdir(f"{folder}/{name}"):
                    if not _unlinked(f"{folder}/{name}/{inner}"):
                        number += 1  # also where the name is taken already
                        os.rename(f"{folder}/{name}/{inner}", f"{folder}/moved up {number}")
                os.rmdir(f"{folder}/{name}")
                removed += 1
        if not removed:
            return


def _unlinked(path: str) -> bool:
    try:
        os.unlink(path)
    except OSError:  # a folder, which is emptied first
        return False
    return True
