"""Schemathesis' own baseline file: failures that were accepted at an earlier sign-off.

Format 1: `{"format_version": 1, "entries": [{"id", "operation", "check", "failure", "signature", …}]}`. The `id` is six
hexadecimal digits of the other four; further keys of an entry are kept as they are, so our `fingerprint` ties it to
a finding. A known failure does not make Schemathesis exit 1, and vanishes from `failures` of its JSON report: only
`baseline.known_ids` still names it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from gates.errors import ToolError
from gates.results import Finding
from gates.tools.schemathesis.events import Failure
from gates.tools.schemathesis.findings import Scrub, fix_of, identity, severity_of

DOCUMENT = "schemathesis.baseline"
"""The name under which the file is kept with a run."""
_EMPTY: dict[str, Any] = {"format_version": 1, "entries": []}
_STAMPS = ("first_seen", "last_seen")


def select(stored: str | None, accepted: Collection[str]) -> str:
    """Return the baseline file for a run: of what an earlier run had stored, the failures that were accepted."""
    content = _load(stored) if stored else dict(_EMPTY)
    entries = [entry for entry in content["entries"] if entry.get("fingerprint") in accepted]
    return json.dumps({**content, "entries": entries}, indent=1) + "\n"


def entries(text: str) -> list[Mapping[str, Any]]:
    """Return the failures that a baseline file holds."""
    return list(_load(text)["entries"])


def annotate(text: str, failures: Iterable[Failure]) -> str:
    """Return the file that a run wrote with our fingerprints in it, and without dates, which say nothing here."""
    content = _load(text)
    codes = {failure.kind: failure.code for failure in failures}
    for entry in content["entries"]:
        for stamp in _STAMPS:
            entry.pop(stamp, None)
        code = codes.get(entry["failure"])
        if code is not None:
            entry["code"] = code
            entry["fingerprint"] = identity(entry["operation"], code)
    return json.dumps(content, indent=1) + "\n"


def known_findings(text: str, known_ids: Collection[str], found: Collection[str], scrub: Scrub) -> list[Finding]:
    """Return a finding for every accepted failure that was seen again, but is not among those already `found`."""
    missing: dict[str, Finding] = {}
    for entry in _load(text)["entries"]:
        mark = str(entry.get("fingerprint", ""))
        if entry.get("id") in known_ids and mark and mark not in found:
            missing[mark] = Finding(
                rule=f"fuzz.{entry['check']}",
                severity=severity_of(str(entry.get("code", ""))),
                message=scrub(f"{entry['operation']}: {entry['failure']} ({entry.get('code', '')}), seen again"),
                fingerprint=mark,
                operation=str(entry["operation"]),
                fix=fix_of(str(entry["check"])),
            )
    return list(missing.values())


def read(path: Path) -> str:
    """Return the text of a baseline file; raises ToolError when the run left none that can be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ToolError(f"the baseline file of Schemathesis cannot be read: {error.strerror}") from error


def _load(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ToolError(f"the baseline file of Schemathesis is not JSON: {error}") from error
    if not isinstance(content, Mapping) or content.get("format_version") != 1:
        raise ToolError("the baseline file of Schemathesis has another format than 1", "sign the phase off again")
    entries = content.get("entries")
    keys = ("operation", "check", "failure", "signature")
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in keys) for entry in entries
    ):
        raise ToolError("the baseline file of Schemathesis holds an entry that names no failure")
    return dict(content)
