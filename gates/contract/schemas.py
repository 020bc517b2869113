"""Goes through the pairs of schemas that are to be compared, until there are no more."""

from __future__ import annotations

from gates.contract.members import compare_members
from gates.contract.values import compare_null, compare_values
from gates.contract.variants import compare_choices
from gates.contract.work import Pair, Work


def compare_pending(work: Work) -> None:
    """Compare all pairs that were taken, and those that are found in them."""
    while work.pending:
        earlier, new, direction, number, mind_null = work.pending.popleft()
        shapes = (work.shapes[0].shape(earlier.parts), work.shapes[1].shape(new.parts))
        pair = Pair(*shapes, direction, number, mind_null)
        compare_null(work, pair)
        if compare_choices(work, pair) and compare_values(work, pair):
            compare_members(work, pair)
