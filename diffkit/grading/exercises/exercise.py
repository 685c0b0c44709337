"""An exercise: a forward function, the ladder of inputs that its derivative is checked on, and points.

>>> import numpy as np
>>> from diffkit.grading.draws import normal
>>> exercise = Exercise(
...     np.hypot,
...     [Case("ordinary", normal("n"), normal("n")), Case("broadcast in y", normal("nm"), normal("m"))],
...     name="hypot",
...     arguments=("x", "y"),
... )
>>> exercise.target
Target(name='hypot', style='vjp', defines=('hypot_vjp',), constructor=(), arguments=(), parameters=())
>>> [(i.name, [a.shape for a in i.args]) for i in exercise.instances(seed=1, draws=1)]
[('ordinary', [(4,), (4,)]), ('broadcast in y', [(2, 5), (5,)])]
"""

from __future__ import annotations

import copy
import inspect
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from diffkit.errors import InputError
from diffkit.grading.draws import Draw, Sizes, drawn, scaled
from diffkit.grading.exercises.styles import MADE_OF_ARGUMENTS, NAMED, STYLES, defined_names
from diffkit.grading.inside.protocol import Target, pack

Function = Callable[..., Any]
Array = np.ndarray[Any, Any]

DRAWS = 4
"""How many instances are drawn of each case. A diagnosis has to hold on three."""


@dataclass(frozen=True, init=False)
class Case:
    """A rung of the ladder: one kind of input, of which instances are drawn.

    Args:
        name: what feedback calls it: "square", "broadcast in y", "ties".
        *inputs: a :class:`Draw` for each positional argument.
        visible: whether students may see it when they check for themselves.
        **kwargs: keyword arguments, handed to the forward function and to the rule alike.

    >>> from diffkit.grading.draws import normal
    >>> case = Case("last axis", normal("nm"), axis=-1, visible=False)
    >>> case.name, dict(case.kwargs), case.visible
    ('last axis', {'axis': -1}, False)
    """

    name: str
    inputs: tuple[Draw, ...]
    kwargs: Mapping[str, Any]
    visible: bool

    def __init__(self, name: str, *inputs: Draw, visible: bool = True, **kwargs: Any) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "visible", visible)
        object.__setattr__(self, "kwargs", kwargs)


class Keywords(Mapping[str, Any]):
    """Keyword arguments, each handed out as a copy: a function may write into a dict that it is given.

    >>> keywords = Keywords({"bn_param": {"mode": "train"}})
    >>> keywords["bn_param"]["running_mean"] = 0.5
    >>> dict(keywords)
    {'bn_param': {'mode': 'train'}}
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = copy.deepcopy(dict(values))

    def __getitem__(self, key: str) -> Any:
        return copy.deepcopy(self._values[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True)
class Misconception:
    """A wrong answer that is known beforehand, by which a student's mistake can be recognised.

    Attributes:
        name: a short name, counted in reports: "x for ans".
        rule: the wrong rule, ``vjp(g, ans, *args, **kwargs)``.
        message: what the student is told.

    >>> Misconception("x for ans", lambda g, ans, x: g * x, "exp is its own derivative.").name
    'x for ans'
    """

    name: str
    rule: Function
    message: str


@dataclass(frozen=True)
class Instance:
    """Inputs at which the student's derivative is compared with the truth.

    Attributes:
        name: the case's name.
        number: which draw of it, from 0.
        args, kwargs: the inputs.
        ans: the forward function's value.
        seeds: a cotangent of ``ans`` (for JVP rules, tangents of the differentiated arguments).
        other_seeds: another, for sums.
        visible: as in :class:`Case`.
        partner: another instance of the same shapes, for the second use; its own partner is None.
    """

    name: str
    number: int
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    ans: Array
    seeds: tuple[Array, ...]
    other_seeds: tuple[Array, ...]
    visible: bool = True
    partner: Instance | None = None

    @cached_property
    def size(self) -> int:
        """How many numbers there are in it, by which the smallest failing instance is chosen."""
        return int(sum(np.size(a) for a in self.args) + np.size(self.ans))

    @property
    def title(self) -> str:
        """Its name in feedback."""
        return f"{self.name}, input {self.number + 1}" if self.number else self.name


@dataclass(frozen=True)
class Exercise:
    """A derivative that students write, with what it is checked on.

    Attributes:
        function: the forward function, on NumPy arrays, that diffkit can trace (or give ``reference``).
        ladder: the cases, simplest first.
        name: what the students' functions are called after; by default the function's own name.
        style: a name of :data:`~diffkit.grading.exercises.styles.STYLES`.
        points: what it is worth.
        arguments: the names of the positional arguments; by default from the function's signature.
        reference: the team's own reference ``vjp(g, ans, *args, **kwargs)``, in place of diffkit's.
        misconceptions: wrong answers known beforehand.
        wrong: further wrong rules, which the self-test must see fail: ``vjp(g, ans, *args)``, or, in
            the styles ``jvp`` and ``engine``, what a submission defines (a tangent rule; a class).
        hints: what to say when an attempt fails, from the team; a starter left as it is gets none.
        hint_level: 0 says only what failed; 1 adds the kind of mistake; 2 where to look; 3 the most.
        partial: whether points are given by the share of the ladder's cases that are right.
        summary: one line for the starter file; by default the first of the function's docstring.
        allowed_imports: the modules that the submission may import; None for no limit.
        forbidden: names that it may not use.
        rtol: a tolerance by the team, relative to the largest entry; 0 leaves it to the measured bound.
        defines: the names that the submission must define, where the style's are not wanted.
        constructor: of the keyword arguments, those that a class is made of, in the order of its
            constructor: ``Exercise(power, ..., style="op", constructor=("n",))`` makes ``Power(3)``.
        forward: what the backward pass has to fit where students write the forward function too: "given",
            this one; or "own", theirs, whose values may be others (a mask that they draw, a convention of
            another year): then another value is only said.
        contract: what is kept of the points where every number is right and only the contract is broken (an
            input changed in place, whole numbers in an array): "fail" nothing, "half", "warn" all.
            Half is the default: the derivative, which is what was asked for, is right, and a course's own
            checks seldom see the breach; but an engine that hands g to two rules gets wrong gradients of it.
            Where engines are taught "fail" is fair, where nobody was told "warn".
        parameters: in the style ``gate``, the arguments that an object holds: its class is made of them
            (after what ``constructor`` names), or they are set as attributes; ``backward`` leaves their
            gradients on it, as ``self.dW``, ``self.grads["W"]`` or ``self.W.grad``.

    >>> from diffkit.grading.draws import normal
    >>> exercise = Exercise(np.hypot, [Case("ordinary", normal("n"), normal("n"))], "hypot", points=2)
    >>> exercise.defines, exercise.points, exercise.contract
    (('hypot_vjp',), 2, 'half')
    """

    function: Function
    ladder: Sequence[Case] = ()
    name: str = ""
    style: str = "vjp"
    points: float = 1.0
    arguments: tuple[str, ...] = ()
    reference: Function | None = None
    misconceptions: tuple[Misconception, ...] = ()
    wrong: tuple[Function, ...] = ()
    hints: tuple[str, ...] = ()
    hint_level: int = 2
    partial: bool = False
    summary: str = ""
    allowed_imports: tuple[str, ...] | None = None
    forbidden: tuple[str, ...] = ()
    rtol: float = 0.0
    defines: tuple[str, ...] = field(default=())
    constructor: tuple[str, ...] = ()
    forward: str = "given"
    contract: str = "half"
    parameters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise InputError(f"an exercise is made of a forward function, not of {self.function!r}")
        defined_names("", self.style)
        if not self.ladder:
            raise InputError(
                f"{self.name or self.function.__name__} needs a ladder: at least one "
                'Case("ordinary", normal("nm"), ...), with a draw for each argument'
            )
        if self.hint_level not in (0, 1, 2, 3):
            raise InputError(f"hint_level is 0, 1, 2 or 3, not {self.hint_level!r}")
        if self.constructor and self.style not in MADE_OF_ARGUMENTS:
            classes = ", ".join(MADE_OF_ARGUMENTS)
            raise InputError(f"constructor= is for classes ({classes}), not for {self.style!r}")
        if self.parameters and self.style != "gate":
            raise InputError(f'parameters= is for the style "gate", not for {self.style!r}')
        if self.forward not in ("given", "own"):
            raise InputError(f'forward is "given" or "own", not {self.forward!r}')
        if self.contract not in ("fail", "half", "warn"):
            raise InputError(f'contract is "fail", "half" or "warn", not {self.contract!r}')
        if not self.name:
            object.__setattr__(self, "name", self.function.__name__)
        if not self.name.isidentifier():
            raise InputError(f"{self.name!r} can't be the name of a function; give the exercise a name=")
        object.__setattr__(self, "ladder", tuple(self.ladder))
        if not self.arguments:
            object.__setattr__(self, "arguments", _parameter_names(self.function, len(self.ladder[0].inputs)))
        if strange := set(self.parameters) - set(self.arguments):
            raise InputError(
                f"parameters= of {self.name} names {', '.join(strange)}, which is no argument of it"
            )
        if not self.defines:
            object.__setattr__(self, "defines", defined_names(self.name, self.style))
        for case in self.ladder:
            for draw in case.inputs:
                if not isinstance(draw, Draw):
                    raise InputError(
                        f"in the case {case.name!r} of {self.name} an argument is drawn from {draw!r}; write "
                        'normal("nm") and the like, or constant(value)'
                    )
            if [d.differentiable for d in case.inputs] != [d.differentiable for d in self.ladder[0].inputs]:
                raise InputError(
                    f"the case {case.name!r} of {self.name} does not have the arguments that the first has"
                )
        if not self.differentiated:
            raise InputError(f"{self.name} has no argument to differentiate by")

    @cached_property
    def differentiated(self) -> tuple[int, ...]:
        """Which arguments are differentiated by."""
        return tuple(k for k, draw in enumerate(self.ladder[0].inputs) if draw.differentiable)

    @property
    def target(self) -> Target:
        """What to look for in a submission."""
        named = (self.arguments, self.parameters) if self.style in NAMED else ((), ())
        return Target(self.name, self.style, self.defines, self.constructor, *named)

    @property
    def keywords(self) -> dict[str, Any]:
        """The keyword arguments that some case has, with the forward function's defaults for them."""
        used = {key: value for case in reversed(self.ladder) for key, value in case.kwargs.items()}
        usual = defaults(self.function)
        return {key: usual.get(key, value) for key, value in used.items()}

    @property
    def argument_names(self) -> tuple[str, ...]:
        """The names of the arguments that are differentiated by."""
        return tuple(self.arguments[k] for k in self.differentiated)

    def value(self, args: Iterable[Any], kwargs: Mapping[str, Any]) -> Array:
        """The forward function's value, as an array."""
        kwargs = kwargs if type(kwargs) is Keywords else Keywords(kwargs)
        with np.errstate(all="ignore"):
            return np.asarray(self.function(*args, **kwargs))

    def instances(self, seed: int, draws: int = DRAWS) -> list[Instance]:
        """The instances that a seed stands for, in the order of the ladder.

        The same seed gives everyone the same instances, and adding a case leaves the others as they are.

        Raises:
            InputError: if the forward function can't be run on what a case draws.
        """
        found = []
        for k, case in enumerate(self.ladder):
            if not suits(self, case):
                continue
            for number in range(draws):
                rng = np.random.default_rng([seed, zlib.crc32(self.name.encode()), k, number])
                sizes = Sizes(rng)
                partner = self._instance(case, number, rng, sizes, None)
                found.append(self._instance(case, number, rng, sizes, partner))
        if not found:
            raise InputError(f"no case of {self.name} suits the style {self.style!r}")
        return found

    def _instance(
        self, case: Case, number: int, rng: np.random.Generator, sizes: Sizes, partner: Instance | None
    ) -> Instance:
        args = drawn(case.inputs, rng, sizes)
        try:
            ans = self.value(args, case.kwargs)
        except Exception as error:
            shapes = ", ".join(str(np.shape(a)) for a in args)
            raise InputError(
                f"the forward function of {self.name} fails on the case {case.name!r} (shapes {shapes}): "
                f"{type(error).__name__}: {error}"
            ) from error
        like = [args[k] for k in self.differentiated] if self.style == "jvp" else [ans]
        seeds, others = (tuple(random_seed(rng, a) for a in like) for _ in range(2))
        if STYLES[self.style].seed == "ones":
            seeds = tuple(np.ones_like(s) for s in seeds)
        kwargs = Keywords(case.kwargs)
        return Instance(case.name, number, args, kwargs, ans, seeds, others, case.visible, partner)

    def verify(self) -> None:
        """Looks whether all that the cases hand to a submission can be handed over.

        Raises:
            InputError: if a case has an argument that is no plain data, with its place.
        """
        for case in self.ladder:
            rng = np.random.default_rng(0)
            args = zip(self.arguments, drawn(case.inputs, rng, Sizes(rng)), strict=True)
            for name, value in [*args, *case.kwargs.items()]:
                try:
                    pack(value, name)
                except TypeError as error:
                    raise InputError(
                        f"the case {case.name!r} of {self.name} can't be handed to submissions: {error}; "
                        "what can is None, numbers, texts, arrays of numbers, slices, and tuples, lists and "
                        "dicts of these"
                    ) from None


# -- what a style can ask for -----------------------------------------------------------------------------


def suits(exercise: Exercise, case: Case) -> bool:
    """Whether a case can be asked for in the exercise's style: local partials belong to single entries."""
    if STYLES[exercise.style].seed != "ones":
        return True
    first = exercise.ladder[0]
    if exercise.style == "value_and_gradient":
        return _one_output(exercise, case)
    return _shapes_agree(exercise, case) and (_one_output(exercise, first) or _elementwise(exercise, first))


def _sample(exercise: Exercise, case: Case) -> tuple[list[Any], Array]:
    rng = np.random.default_rng(0)
    args = list(drawn(case.inputs, rng, Sizes(rng)))
    return args, exercise.value(args, case.kwargs)


def _shapes_agree(exercise: Exercise, case: Case) -> bool:
    """Whether nothing is broadcast: a local partial derivative belongs to one entry of each argument."""
    args, ans = _sample(exercise, case)
    return not ans.shape or all(np.shape(args[k]) == ans.shape for k in exercise.differentiated)


def _one_output(exercise: Exercise, case: Case) -> bool:
    return not _sample(exercise, case)[1].shape


def _elementwise(exercise: Exercise, case: Case) -> bool:
    """Whether moving one entry of an argument moves no other entry of the answer."""
    args, ans = _sample(exercise, case)
    for k in exercise.differentiated:
        for j in range(np.size(args[k])):
            moved = np.array(args[k])
            moved.flat[j] *= 1.25
            changed = exercise.value([moved if i == k else a for i, a in enumerate(args)], case.kwargs) != ans
            if np.delete(changed.ravel(), j).any():
                return False
    return True


def random_seed(rng: np.random.Generator, like: Any) -> Array:
    """A cotangent of both signs in short decimals, of size 0.2 to 2, and nothing in it zero or one."""
    sizes = np.array([k / 10 for k in range(2, 21) if k != 10])
    signs = rng.choice([-1.0, 1.0], np.shape(like))
    return np.asarray(rng.choice(sizes, np.shape(like)) * signs)


def _parameter_names(function: Function, count: int) -> tuple[str, ...]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    variadic = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "x")
    return tuple(names) + tuple(f"{variadic}{k}" for k in range(len(names), count))


def defaults(function: Function) -> dict[str, Any]:
    """The default values of a function's parameters, by name."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def same_value(one: Any, other: Any) -> bool:
    """Whether two values of a keyword are one, arrays and dicts included.

    >>> same_value({"at": np.zeros(2)}, {"at": np.zeros(2)}), same_value(1, 2)
    (True, False)
    """
    try:
        return bool(pack(one) == pack(other))
    except TypeError:
        return one is other


def default_ladder(*inputs: Draw, **kwargs: Any) -> list[Case]:
    """The cases for a forward function of which nothing is known but what its arguments look like.

    Args:
        *inputs: a draw for each positional argument.
        **kwargs: keyword arguments, the same in each case.

    Returns:
        Cases of ordinary, square, large and tiny inputs.

    Raises:
        InputError: when instances are drawn, if an argument is no draw.

    >>> from diffkit.grading.draws import normal
    >>> [case.name for case in default_ladder(normal("nm"), normal("m"))]
    ['ordinary', 'square', 'large', 'tiny']
    """

    def square(draw: Draw) -> Draw:
        return Draw(lambda rng, sizes: draw(rng, _Square(rng)), draw.differentiable)

    def times(factor: float) -> list[Draw]:
        return [scaled(d, factor) if d.differentiable else d for d in inputs]

    return [
        Case("ordinary", *inputs, **kwargs),
        Case("square", *map(square, inputs), **kwargs),
        Case("large", *times(1e4), **kwargs),
        Case("tiny", *times(1e-4), **kwargs),
    ]


class _Square(Sizes):
    """Sizes in which every letter stands for 3."""

    def size(self, letter: str) -> int:
        return int(letter) if letter.isdigit() else 3
