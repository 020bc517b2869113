"""Reads files of traffic line by line, and tells what of them could be used."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gates.errors import ToolError
from gates.results import Gap
from gates.traffic.access_log import LONGEST_LINE, Form, Unreadable, read_line
from gates.traffic.calls import Call, Counted
from gates.traffic.har import NoHar, read_har

MOST_LINES = 5_000_000
"""Lines of access logs that are read by one gate: about a minute."""
MOST_HAR = 512 * 2**20
_HOSTS_SHOWN = 3


def find_files(root: Path, pattern: str) -> list[Path]:
    """Return the files of a project that a pattern names; what a link leads out of the project is not among them."""
    inside = root.resolve()
    found = (root / name for name in glob.glob(pattern, root_dir=root, recursive=True))
    return sorted(path for path in found if path.is_file() and path.resolve().is_relative_to(inside))


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


class Reader:
    """Reads access logs and HAR files, one after another; `calls` are the requests that count so far."""

    def __init__(self, form: Form, fields: Mapping[str, str], hosts: Sequence[str], since: float | None) -> None:
        self._form, self._fields, self._hosts, self._since = form, fields, hosts, since
        self._counted = Counted()
        self._lines = self._other = self._broken = self._old = self._unreadable = 0
        self._elsewhere: Counter[str] = Counter()
        self.gaps: list[Gap] = []

    @property
    def calls(self) -> Iterator[Call]:
        """The requests that were read, each with how often there was one like it."""
        return iter(self._counted)

    @property
    def total(self) -> int:
        """How many requests count."""
        return self._counted.total

    def read_log(self, path: Path) -> None:
        """Read an access log; what follows after MOST_LINES lines in all is left out, and told as a gap."""
        try:
            with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
                # A line without an end would not fit into memory: it comes in pieces, none of which is a request.
                while line := file.readline(LONGEST_LINE + 1):
                    if self._lines >= MOST_LINES:
                        reason = f"only the first {MOST_LINES:,} lines of the access logs were read"
                        self.gaps.append(Gap(f"the rest of {path.name}", reason, "keep a log of one run only"))
                        return
                    self._line(line)
        except OSError as error:
            raise ToolError(f"{path.name} could not be read: {error.strerror}", "may gates read it?") from error

    def _line(self, line: str) -> None:
        if not line.strip():
            return
        self._lines += 1
        found = read_line(line, self._form, self._fields)
        if isinstance(found, Unreadable):
            self._broken += found.broken
            self._other += not found.broken
        else:
            self._add(found)

    def _add(self, call: Call) -> None:
        if self._since is not None and call.at is not None and call.at < self._since:
            self._old += 1
        else:
            self._counted.add(call)

    def read_har(self, path: Path, name: str) -> None:
        """Read a HAR file. Raises ToolError when it is none."""
        try:
            if path.stat().st_size > MOST_HAR:
                raise ToolError(
                    f"{name} is larger than {MOST_HAR // 2**20} MiB", "record without the bodies of answers"
                )
            text = path.read_text("utf-8-sig", "replace")
            read = read_har(text, self._hosts)
        except OSError as error:
            raise ToolError(f"{name} could not be read: {error.strerror}", "may gates read it?") from error
        except NoHar as error:
            raise ToolError(f"{name} is no HAR file: {error}", "is it written to its end?") from error
        for call in read.calls:
            self._add(call)
        self._elsewhere.update(read.other_hosts)
        self._unreadable += read.unreadable

    def described(self) -> str:
        """Return what was read and what could not be, in a line."""
        parts = [_count(self.total, "request", "requests")]
        if self._old:
            parts.append(_count(self._old, "that is", "that are") + " older than the commit, and not counted")
        if self._other:
            parts.append(_count(self._other, "line", "lines") + " without a request")
        if self._broken:
            parts.append(_count(self._broken, "line", "lines") + " that cannot be read")
        if self._unreadable:
            parts.append(_count(self._unreadable, "entry", "entries") + " of HAR files without an answer")
        if self._elsewhere:
            hosts = ", ".join(host for host, _ in self._elsewhere.most_common(_HOSTS_SHOWN))
            parts.append(_count(self._elsewhere.total(), "request", "requests") + f" to other hosts ({hosts})")
        return ", ".join(parts)

    def advice(self, old: str) -> str:
        """Return what would help where nothing could be used."""
        if self._old:
            return old
        if self._elsewhere:
            return f'if that is the backend, name it: hosts = ["{self._elsewhere.most_common(1)[0][0]}"]'
        return 'set `format`, or `fields` for the names in JSON lines, such as fields = { status = "code" }'
