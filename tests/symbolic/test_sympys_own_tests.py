"""SymPy's own tests of differentiation judge diffkit's: none wrong, and few refused."""

from collections import Counter

import pytest
from sympy_suite import calls_of, judge

QUICK = [
    "core.tests.test_diff",
    *(f"functions.elementary.tests.test_{name}" for name in ("exponential", "hyperbolic", "piecewise")),
    *(f"functions.special.tests.test_{name}" for name in ("delta_functions", "spec_polynomials", "mathieu")),
    "functions.combinatorial.tests.test_comb_factorials",
    "concrete.tests.test_products",
    "tensor.tests.test_indexed",
]
THE_OTHERS = [
    *(f"core.tests.test_{name}" for name in ("function", "expr", "arit", "subs", "match")),
    *(f"functions.elementary.tests.test_{name}" for name in ("complexes", "trigonometric", "miscellaneous")),
    *(
        f"functions.special.tests.test_{name}"
        for name in (
            *(
                "bessel",
                "beta_functions",
                "elliptic_integrals",
                "error_functions",
                "gamma_functions",
                "hyper",
            ),
            *("singularity_functions", "spherical_harmonics", "zeta_functions"),
        )
    ),
    "functions.combinatorial.tests.test_comb_numbers",
    "concrete.tests.test_sums_products",
    *(f"tensor.array.tests.test_{name}" for name in ("immutable_ndim_array", "mutable_ndim_array")),
    *(f"matrices.tests.test_{name}" for name in ("matrices", "matrixbase", "immutable", "sparse")),
    *(f"integrals.tests.test_{name}" for name in ("integrals", "manual", "heurisch")),
    *(f"simplify.tests.test_{name}" for name in ("cse_diff", "simplify", "radsimp", "trigsimp")),
    *(f"calculus.tests.test_{name}" for name in ("euler", "singularities", "finite_diff")),
    "codegen.tests.test_cfunctions",
    "polys.tests.test_rootoftools",
    "matrices.expressions.tests.test_derivatives",
    "stats.tests.test_continuous_rv",
    *(f"physics.{name}" for name in ("mechanics.tests.test_kane", "vector.tests.test_vector")),
    *(f"series.tests.test_{name}" for name in ("limits", "formal")),
]


def _report(verdicts):
    by_head = Counter(" ".join(text.split()[:6]) for _, text in verdicts.refused)
    print(
        f"{verdicts.calls} calls: {verdicts.same} the same, {verdicts.equal} equal in another form, "
        f"{len(verdicts.refused)} refused, {len(verdicts.wrong)} wrong, {len(verdicts.undecided)} undecided"
    )
    for head, count in by_head.most_common():
        print(f"{count:5}  {head}")
    for kind in (verdicts.wrong, verdicts.failed, verdicts.undecided):
        for call, ours in kind:
            print(call.where, str(call.expr)[:100], call.args, "->", ours[:200])


def _check(modules, calls, refused):
    verdicts = judge(calls_of(modules))
    _report(verdicts)
    assert verdicts.calls >= calls
    assert not verdicts.wrong
    assert not verdicts.failed
    assert len(verdicts.refused) <= refused
    assert len(verdicts.undecided) <= verdicts.calls // 25


def test_the_tests_of_differentiation_itself():
    _check(QUICK, calls=120, refused=20)


@pytest.mark.slow
def test_the_tests_of_all_the_rest():
    _check(THE_OTHERS, calls=600, refused=110)
