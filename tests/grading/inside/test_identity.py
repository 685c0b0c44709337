"""Objects of a submission are hashed by number: the same order in sets, wherever they lie."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest

from diffkit.grading.inside.student_side import load

CLASSES = """
from dataclasses import dataclass


class Plain:
    pass


class Explicit(object):
    def __init__(self, x):
        self.x = x


class Slotted:
    __slots__ = ("x",)


class Mixed(Plain, dict):
    pass


@dataclass
class Data:
    x: int


@dataclass(frozen=True)
class Frozen:
    x: int


class Equal:
    def __eq__(self, other):
        return True
"""


@pytest.fixture
def module():
    return load(CLASSES, "a.py", "numbered_classes")


def test_an_object_keeps_its_hash_and_is_equal_to_itself_alone(module):
    objects = [module.Plain() for _ in range(50)] + [module.Explicit(k) for k in range(50)]
    hashes = [hash(o) for o in objects]
    assert [hash(o) for o in objects] == hashes
    assert len(set(objects)) == len(objects) == len(set(hashes))
    assert objects[3] != objects[4]
    assert copy.copy(objects[-1]).x == 49


def test_classes_with_a_word_of_their_own_on_equality_keep_it(module):
    assert hash(module.Frozen(1)) == hash(module.Frozen(1))
    assert len({module.Frozen(1), module.Frozen(1)}) == 1
    for unhashable in (module.Data(1), module.Equal(), module.Mixed()):
        with pytest.raises(TypeError, match="unhashable"):
            hash(unhashable)
    slotted = module.Slotted()
    assert slotted in {slotted}


ORDER = """
import sys
sys.path.insert(0, {root!r})
from diffkit.grading.inside.student_side import load

junk = [bytearray({size}) for _ in range({count})]
del junk[::3]
code = '''
class Node:
    def __init__(self, name):
        self.name = name


orders = []
for _ in range(40):
    orders += [node.name for node in {{Node("a"), Node("b"), Node("c")}}]
'''
print("".join(load(code, "a.py").orders))
"""


def test_sets_are_walked_in_the_same_orders_in_every_process():
    from pathlib import Path

    root = str(Path(__file__).parents[3])
    orders = {
        subprocess.run(
            [sys.executable, "-c", ORDER.format(root=root, size=50 + 37 * k, count=1000 * k + 1)],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": str(k + 1)},
        ).stdout
        for k in range(4)
    }
    (order,) = orders
    assert len({order[k : k + 3] for k in range(0, 120, 3)}) == 6  # and in all of them, not in one
