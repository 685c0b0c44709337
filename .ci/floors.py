"""The lowest version of everything that pyproject.toml asks for, as constraints for pip."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = [wanted for each in project["optional-dependencies"].values() for wanted in each]
for wanted in [*project["dependencies"], *extras]:
    if ">=" in wanted:
        print(re.sub(r">=\s*([\w.]+)", r"==\1", wanted))
