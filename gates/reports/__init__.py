"""One file per format; each renders a run."""

from __future__ import annotations

from collections.abc import Callable

from gates.reports import json, junit, markdown
from gates.results import Run

FORMATS: dict[str, Callable[[Run], str]] = {"json": json.render, "junit": junit.render, "markdown": markdown.render}
"""What `gates report --format` can write besides the terminal."""
