"""What people see on a terminal or in a pipe: a run, its progress, phases, comparisons, histories, requirements."""

from gates.reports.terminal.calibration import render_calibration
from gates.reports.terminal.comparison import render_comparison
from gates.reports.terminal.contract import render_contract
from gates.reports.terminal.doctor import render_doctor, render_requirement
from gates.reports.terminal.history import render_history
from gates.reports.terminal.phases import render_phases
from gates.reports.terminal.progress import Progress
from gates.reports.terminal.run import render

__all__ = [
    "Progress",
    "render",
    "render_calibration",
    "render_comparison",
    "render_contract",
    "render_doctor",
    "render_history",
    "render_phases",
    "render_requirement",
]
