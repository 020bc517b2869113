"""Replays the recorded rows: what gates says of them, what other tools would say, and which goals are reached.

Run: make detection, or .venv/bin/python -m benchmarks.detection.replay [--rows FOLDER] [--markdown]
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.detection import otava, ours, regimes, rows, runs, variants
from benchmarks.detection.counted import Cell, Goal, Share, goals
from benchmarks.detection.peers import PEERS
from gates.load.pairs import together
from gates.machine import describe
from gates.results import Verdict

ORDER = ("same", "uniform_02", "uniform_05", "uniform_10", "uniform_20", "one_10", "additive", "tail", "lock", "leak",
         "errors")  # fmt: skip
"""Of the columns; what is not named here comes last."""
SHORT = {
    "same": "alike", "uniform_02": "+2 %", "uniform_05": "+5 %", "uniform_10": "+10 %", "uniform_20": "+20 %",
    "one_10": "one of 5 +10 %", "additive": "+0.3 ms", "tail": "3 % ×2",
}  # fmt: skip

Rows = Mapping[tuple[str, str], Sequence[rows.Row]]
Table = list[list[str]]


def read_all(folder: Path) -> Rows:
    """Return the rows of every cell that has any, by effect and regime."""
    cells = {(effect, regime): rows.read(rows.path_of(effect, regime, folder))
             for regime in regimes.REGIMES for effect in sorted(variants.EFFECTS, key=_place)}  # fmt: skip
    return {cell: found for cell, found in cells.items() if found}


def _place(effect: str) -> tuple[int, str]:
    return ORDER.index(effect) if effect in ORDER else len(ORDER), effect


def shift_of(several: Sequence[rows.Row]) -> str:
    """Return how many times as long the median request really took, over all epochs that can be believed."""
    values = [together(row.paired.ratios).shift() for row in several if row.valid]
    if len(values) < 2:
        return "–"
    error = statistics.stdev(values) / math.sqrt(len(values))
    return f"{math.exp(statistics.fmean(values)):.3f} ± {1.96 * error:.3f}"


def play(recorded: Rows) -> list[Cell]:
    """Return what gates says, cell by cell."""
    found = []
    for (effect, regime), several in recorded.items():
        told, left = ours.play_gates(several)
        found.append(Cell(effect, regime, tuple(told), left))
    return found


def our_table(recorded: Rows, cells: Sequence[Cell]) -> Table:
    """Return a line for each cell: gates, verdicts with bounds, load to a decision, and what the rows really are."""
    table = [
        [
            "regime",
            "build",
            "epochs",
            "not believed",
            "gates",
            "fail",
            "pass",
            "undecided",
            "load",
            "left over",
            "true shift",
        ]
    ]
    for cell in cells:
        several = recorded[cell.effect, cell.regime]
        doubted = sum(not row.valid for row in several)
        load = cell.decided_load
        table.append([
            cell.regime, SHORT.get(cell.effect, cell.effect), str(len(several)), f"{doubted / len(several):.0%}",
            str(len(cell.told)), str(cell.share(Verdict.FAIL)), str(cell.share(Verdict.PASS)), str(cell.undecided),
            f"{load:.0f} s" if load is not None else "–", str(cell.left), shift_of(several),
        ])  # fmt: skip
    return table


def what_decided(cells: Sequence[Cell]) -> list[str]:
    """Return, for each cell, which quantities failed and which kept gates undecided, the most frequent first."""
    lines = []
    for cell in cells:
        for word, several in (
            ("failed by", [one.failed for one in cell.told if one.verdict is Verdict.FAIL]),
            ("undecided by", [one.undecided for one in cell.told if one.verdict is Verdict.UNKNOWN]),
        ):
            if several:
                lines.append(f"{cell.regime}, {SHORT.get(cell.effect, cell.effect)}: {word} {_most(several)}")
    return lines


def _most(several: Iterable[Sequence[tuple[str, str]]]) -> str:
    counts: dict[str, int] = {}
    for names in several:
        for measurement, scope in set(names):
            told = f"{measurement.removeprefix('pair.') or 'evidence'} {scope}".strip()
            counts[told] = counts.get(told, 0) + 1
    most = sorted(counts.items(), key=lambda item: -item[1])[:4]
    return ", ".join(f"{name} ({count})" for name, count in most)


def compare_runs(recorded: Rows, regime: str) -> list[runs.Comparison]:
    """Return what the peers are asked about one regime."""
    return runs.comparisons(runs.blocks({effect: found for (effect, own), found in recorded.items() if own == regime}))


def judge_stored(asked: Sequence[runs.Comparison], regime: str) -> list[Cell]:
    """Return what the stored-baseline mode of gates says of the runs that the peers are asked about."""
    told: dict[str, list[ours.Told]] = {}
    for one in asked:
        told.setdefault(one.effect, []).append(ours.against_stored(one.then_rows, one.now_rows))
    return [Cell(effect, regime, tuple(told[effect])) for effect in sorted(told, key=_place)]


def stored_lines(stored: Sequence[Cell]) -> list[str]:
    """Return how often the stored-baseline mode said what: mostly that two single runs do not tell."""
    return [
        f"gates against a stored run, {SHORT.get(cell.effect, cell.effect)}: fail {_bare(cell.share(Verdict.FAIL))}, "
        f"pass {_bare(cell.share(Verdict.PASS))}, undecided {_bare(cell.undecided)}"
        for cell in stored
    ]


def peer_table(asked: Sequence[runs.Comparison], cells: Sequence[Cell], stored: Sequence[Cell]) -> Table:
    """Return a line for each rule: of how many runs of each build it says that something became slower.

    `cells` and `stored` are of one regime.
    """
    effects = [cell.effect for cell in cells]
    table = [["rule", "compares with", *(SHORT.get(effect, effect) for effect in effects)]]
    for name, compared, own in (
        ("gates, side by side", "the same epochs", cells),
        ("gates, stored baseline", "the run before", stored),
    ):
        failed = [(cell.effect, one.verdict is Verdict.FAIL) for cell in own for one in cell.told]
        table.append(_line(name, compared, effects, failed))
    for peer in PEERS:
        table.append(_line(peer.name, peer.runs, effects, [(one.effect, peer.rule(one)) for one in asked]))
    table.append(_otava_line(asked, effects))
    return table


def _otava_line(asked: Sequence[runs.Comparison], effects: Sequence[str]) -> list[str]:
    name = f"apache-otava {otava.VERSION}"
    try:
        answers = otava.judge(asked)
    except otava.NoOtava as error:
        return [name, str(error), *("–" for _ in effects)]
    said = [(one.effect, answer) for one, answer in zip(asked, answers, strict=True) if answer is not None]
    return _line(name, f"{otava.BEFORE} runs before", effects, said)


def _line(name: str, compared: str, effects: Sequence[str], said: Sequence[tuple[str, bool]]) -> list[str]:
    shares = [Share(sum(slower for other, slower in said if other == effect), sum(other == effect for other, _ in said))
              for effect in effects]  # fmt: skip
    return [name, compared, *map(_bare, shares)]


def _bare(share: Share) -> str:
    return f"{share.count}/{share.of}" if share.of else "–"


def goal_table(reached: Sequence[Goal]) -> Table:
    """Return a line for each goal, with what was seen."""
    table = [["goal", "seen", ""]]
    for goal in reached:
        seen = "–" if goal.seen is None else str(goal.seen) if isinstance(goal.seen, Share) else f"{goal.seen:.0f} s"
        table.append([goal.told, seen, goal.verdict])
    return table


def drawn(table: Table, *, markdown: bool) -> str:
    """Return a table as text; in markdown, or with columns that stand below each other."""
    if markdown:
        head, *lines = (f"| {' | '.join(line)} |" for line in table)
        return "\n".join([head, f"|{'---|' * len(table[0])}", *lines])
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
                     for line in table)  # fmt: skip


def origin(folder: Path) -> list[str]:
    """Return where the rows come from: machines, dates, versions, commits."""
    known = [one for path in sorted(folder.glob("*.jsonl.gz")) for one in rows.sittings(path).values()]
    if not known:
        return []
    dates = sorted(one["date"][:10] for one in known)
    commits = sorted({str(one["commit"])[:7] + ("+" if one["dirty"] else "") for one in known})
    machines = sorted({describe(one["machine"]) for one in known})
    versions = sorted({", ".join(f"{name} {number}" for name, number in one["versions"].items()) for one in known})
    around = sorted({one["around"] for one in known})
    first = known[0]
    return [
        f"recorded {dates[0]} to {dates[-1]} on {'; '.join(machines)}", f"with {'; '.join(versions)}",
        f"by gates at {', '.join(commits)} (+: with changes)", f"regimes: {'; '.join(around)}",
        f"{first['rate']:g} pairs/s for {first['seconds']:g} s after {first['warm_up']:g} s in each epoch; "
        f"{ours.PLANNED} epochs at most; a peer's run is {runs.EPOCHS} epochs",
    ]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Print all tables; 1 when there are no rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, default=rows.ROWS, help="the folder of the rows")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args(arguments)
    recorded = read_all(options.rows)
    if not recorded:
        print(f"there are no rows in {options.rows}: record some, make detection-record", file=sys.stderr)
        return 1
    cells = play(recorded)
    print("\n".join(origin(options.rows)))
    print("\nWhat gates says, no epoch in two gates (in brackets: where the true share lies, 95 %)\n")
    print(drawn(our_table(recorded, cells), markdown=options.markdown))
    print("\n" + "\n".join(what_decided(cells)))
    for regime in dict.fromkeys(regime for _, regime in recorded):
        print(f"\nHow many runs each rule calls slower, {regime} (`alike`: all of them are false alarms)\n")
        asked = compare_runs(recorded, regime)
        stored = judge_stored(asked, regime)
        table = peer_table(asked, [cell for cell in cells if cell.regime == regime], stored)
        print(drawn(table, markdown=options.markdown))
        print("\n" + "\n".join(stored_lines(stored)))
    print("\nGoals\n")
    print(drawn(goal_table(goals(cells)), markdown=options.markdown))
    return 0


if __name__ == "__main__":
    sys.exit(main())
