"""The tests of the rules share rule_checks.py, whichever way pytest imports them."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

# For a matrix of three rows, threads only wait for each other: SciPy's LAPACK takes milliseconds then.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
