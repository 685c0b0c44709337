"""The lessons' scripts go into a wheel, beside what runs them; an editable install finds them in the clone.

In an editable install their folder would be a second ``diffkit``, which Python still imports, as an empty
package, when the clone is gone.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Lessons(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            build_data["force_include"]["lessons"] = "diffkit/lessons/scripts"
