"""An outside opinion on every single change: `redocly diff`, where it is installed.

It is on PATH as `redocly`, or GATES_REDOCLY names it (`npm install --prefix FOLDER @redocly/cli`, then
FOLDER/node_modules/.bin/redocly). The table of both verdicts is printed with `pytest -s`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from documents import breaks, changed, realistic
from mutations import MUTATIONS, Mutation

REDOCLY = os.environ.get("GATES_REDOCLY") or shutil.which("redocly")
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "REDOCLY_SUPPRESS_NOTIFICATIONS": "true"}


def redocly(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(REDOCLY), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, **QUIET}, check=False
    )


def has_diff() -> str:
    """Return why it cannot be asked, nothing when it can."""
    if not REDOCLY:
        return "redocly is not on PATH and GATES_REDOCLY does not name it"
    shown = redocly("diff", "--help")
    return "" if shown.returncode == 0 and "revision" in shown.stdout + shown.stderr else "this redocly has no `diff`"


def calls_it_breaking(folder: Path, mutation: Mutation) -> bool:
    """Return whether redocly says that the next version has to be a major one."""
    new = folder / f"{mutation.name}.json"
    new.write_text(json.dumps(changed(mutation.apply)))
    answered = redocly("diff", str(folder / "old.json"), str(new), "--format", "json")
    assert answered.returncode in (0, 1), answered.stderr
    impacts = {change["impact"] for change in json.loads(answered.stdout)["changes"]}
    assert impacts <= {"major", "minor", "patch", "none"}
    return "major" in impacts


@pytest.mark.slow
def test_every_break_that_redocly_finds_is_found_here(tmp_path: Path) -> None:
    if reason := has_diff():
        pytest.skip(reason)
    (tmp_path / "old.json").write_text(json.dumps(realistic()))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        theirs = dict(zip(MUTATIONS, pool.map(lambda one: calls_it_breaking(tmp_path, one), MUTATIONS), strict=True))
    ours = {mutation: bool(breaks(realistic(), changed(mutation.apply))) for mutation in MUTATIONS}
    breaking = [mutation for mutation in MUTATIONS if mutation.breaking]
    harmless = [mutation for mutation in MUTATIONS if not mutation.breaking]
    print(f"\n{'':58} {'gates':>12} {'redocly':>12}")
    for what, listed in (("breaking, and found", breaking), ("harmless, and called breaking", harmless)):
        counts = [f"{sum(verdicts[one] for one in listed)} of {len(listed)}" for verdicts in (ours, theirs)]
        print(f"{what:58} {counts[0]:>12} {counts[1]:>12}")
    for mutation in MUTATIONS:
        if ours[mutation] != theirs[mutation]:
            words = ["breaking" if verdicts[mutation] else "harmless" for verdicts in (ours, theirs)]
            truth = "breaking" if mutation.breaking else "harmless"
            print(f"{mutation.name:58} {words[0]:>12} {words[1]:>12}   it is {truth}")
    assert [one.name for one in breaking if theirs[one] and not ours[one]] == []
