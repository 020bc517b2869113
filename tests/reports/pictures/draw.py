"""Draws the pictures beside this file again; look at them before they are committed."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from report_samples import failing_run, partial_run, passing_run  # noqa: E402 - found only after the line above

from gates.reports.terminal import render  # noqa: E402

for name, run in (("failing", failing_run()), ("passing", passing_run()), ("partial", partial_run())):
    text = render(run, colour=False, width=80, operations=True, details=".gates/runs/7f3a/")
    (HERE / f"{name}.txt").write_text(text, "utf-8")
