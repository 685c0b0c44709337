"""Pictures of handwritten digits, small enough to come with the package.

``digits.npz`` holds the 1,797 pictures of the test set of E. Alpaydin and C. Kaynak, "Optical Recognition of
Handwritten Digits" (1998), UCI Machine Learning Repository, https://doi.org/10.24432/C50P49, licensed under
Creative Commons Attribution 4.0 (https://creativecommons.org/licenses/by/4.0/): the numbers are unchanged,
stored as bytes. They are the pictures that scikit-learn's ``load_digits`` returns.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The pictures, and which digit each shows.

    Returns:
        Pictures of shape (1797, 64): eight rows of eight pixels each, from 0.0 (white) to 16.0; and labels of
        shape (1797,), from 0 to 9.

    >>> pictures, labels = digits()
    >>> pictures.shape, labels.shape
    ((1797, 64), (1797,))
    >>> print(pictures[0, :8], labels[:5])
    [ 0.  0.  5. 13.  9.  1.  0.  0.] [0 1 2 3 4]
    """
    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as stored:
        kept: Any = stored
        return kept["pictures"].astype(np.float64), kept["labels"].astype(np.int64)
