"""The packages that submissions may import: NumPy, what the assignment names, and what those need."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import re
from collections.abc import Iterable, Sequence
from pathlib import Path


@functools.cache
def with_requirements(names: tuple[str, ...]) -> tuple[str, ...]:
    """The import names of packages and of all that they require, the named ones first.

    >>> with_requirements(())
    ()
    >>> with_requirements(("scipy",))
    ('scipy',)
    """
    if not names:
        return ()  # reading all metadata takes its time
    imports: dict[str, list[str]] = {}
    for module, distributions in importlib.metadata.packages_distributions().items():
        for distribution in distributions:
            imports.setdefault(_normal(distribution), []).append(module)
    found, waiting = dict.fromkeys(names), [d for d, modules in imports.items() if set(modules) & set(names)]
    seen = set(waiting)
    while waiting:
        distribution = waiting.pop()
        found |= dict.fromkeys(sorted(imports.get(distribution, ())))
        for requirement in importlib.metadata.requires(distribution) or ():
            needed = _normal(re.split(r"[^\w.-]", requirement, maxsplit=1)[0])
            if "extra ==" not in requirement and needed in imports and needed not in seen:
                seen.add(needed)
                waiting.append(needed)
    return tuple(name for name in found if name.isidentifier() and name != "numpy")


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def package_paths(names: Sequence[str]) -> Iterable[Path]:
    """Where NumPy and further packages are, with the libraries that wheels put beside them."""
    for name in dict.fromkeys(("numpy", *names)):
        spec = importlib.util.find_spec(name)
        if spec is None:
            continue
        if spec.submodule_search_locations is None:  # a module of one file
            yield Path(spec.origin or "")
            continue
        for folder in map(Path, spec.submodule_search_locations):
            yield folder
            # They are called after the distribution: Pillow's modules are in PIL, its libraries elsewhere.
            yield from folder.parent.glob("*.libs" if names else f"{name}.libs")
