"""Runs the benchmarks of a build in a process of its own, and reads what they left."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gates.errors import GatesError, NotMeasured, ToolError
from gates.process import Finished, capture, last_lines, run, shell_words
from gates.tools.base import Place
from gates.tools.benchmark.report import Sample, parse

_ROUND_SECONDS = 0.00005
"""Shorter functions are repeated within a round until it takes this long: far above what a timer can blur, and short
enough that other programs interrupt few rounds. On two cores with four programs running, the medians of eight processes
varied by 17 to 44 % with rounds of 0.5 ms, by 1 to 4 % with 0.1 ms, and by 2 % with 0.02 ms."""
_NO_TESTS = 5
_NOT_FOUND = re.compile(r"ERROR: (?:file or directory )?not found: (\S+)")
_PACKAGES = ("pytest", "pytest-benchmark", "pytest-cov", "pytest-xdist")
_PROBE = """
import json, platform, sys
from importlib import metadata
found = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Runner:
    """The benchmarks of one build: where they are run, by which command, and how long each is repeated (seconds)."""

    place: Place
    command: str
    max_time: float
    directory: Path

    @cached_property
    def versions(self) -> dict[str, str]:
        """The versions of Python and of the pytest packages that the interpreter of the build has."""
        return installed(self.place)

    def measure(
        self, name: str, timeout: float, *, more: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> Sample:
        """Run them all once; the outputs are called `name`, `more` are further options of pytest.

        Raises ToolError when the command did not end as one does that ran its benchmarks, whatever they showed, and
        NotMeasured when there are none.
        """
        files = {kind: self.directory / f"{name}.{kind}" for kind in ("json", "xml", "stdout", "stderr")}
        options = self._options(files["json"], files["xml"], more)
        finished = run(
            self._words(), cwd=self.place.root, env={**self.place.env, "PYTEST_ADDOPTS": options, **(env or {})},
            stdout=files["stdout"], stderr=files["stderr"], timeout=timeout, normal=None,
        )  # fmt: skip
        texts = [
            path.read_text("utf-8", "replace") if path.exists() else None for path in (files["json"], files["xml"])
        ]
        files["json"].unlink(missing_ok=True)  # it holds every round that was timed: megabytes nobody reads again
        sample = parse(*texts)
        self._check_end(finished, sample)
        return sample

    def _words(self) -> list[str]:
        python = self.place.python
        words = [word.replace("{python}", python) for word in shell_words(self.command)]
        return [python, "-m", "pytest", *words[1:]] if words[0] in ("pytest", "py.test") else words

    def _options(self, report: Path, junit: Path, more: Sequence[str]) -> str:
        # Each one here undoes what a project's `addopts` may hold and would make a pass of nothing, or slow it down.
        options = [
            "--benchmark-only", "--benchmark-enable", f"--benchmark-json={report}",
            f"--benchmark-max-time={self.max_time:.6f}", f"--benchmark-min-time={_ROUND_SECONDS:.6f}",
            "--maxfail=0", f"--junitxml={junit}", "-o", "junit_family=xunit1", *more,
        ]  # fmt: skip
        if not self.place.env.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
            options += ["-n0"] if "pytest-xdist" in self.versions else []
            options += ["--no-cov"] if "pytest-cov" in self.versions else []
        return " ".join(filter(None, (self.place.env.get("PYTEST_ADDOPTS", ""), shlex.join(options))))

    def _check_end(self, finished: Finished, sample: Sample) -> None:
        last = last_lines(finished.stderr) or last_lines(finished.stdout)
        if "internal" in sample.failed:
            raise ToolError(f"pytest had an internal error: {sample.failed['internal'].message}", "run it by hand")
        if finished.exit_code in (0, _NO_TESTS) or sample.failed:
            return
        if missing := _NOT_FOUND.search(last):
            raise NotMeasured(
                f"there are no benchmarks: `{self.command}` looks for {missing[1]}, which is not there",
                "write them with the `benchmark` fixture of pytest-benchmark, or correct this gate's `command`",
            )
        if "unrecognized arguments: --benchmark-only" in last:
            raise ToolError(
                "pytest-benchmark is installed, but pytest does not load it",
                "take `-p no:benchmark` out of pytest's configuration; where PYTEST_DISABLE_PLUGIN_AUTOLOAD is set, "
                "add `-p pytest_benchmark.plugin`",
            )
        raise ToolError(
            f"`{self.command}` ended with exit code {finished.exit_code} although no benchmark failed; "
            f"its last lines:\n{last}".rstrip(),
            "run it by hand; comparing with earlier results (--benchmark-compare-fail) is left to gates",
        )


def installed(place: Place) -> dict[str, str]:
    """Return the versions of Python and of the pytest packages that the interpreter of a build has."""
    try:
        code, out, errors = capture([place.python, "-c", _PROBE, *_PACKAGES], cwd=place.root, env=place.env)
    except GatesError as error:
        raise ToolError(error.message, "correct `[backend] python`") from error
    if code != 0:
        last = errors.strip().splitlines()[-1:] or ["it said nothing"]
        raise ToolError(f"{place.python} could not be asked for its packages: {last[0]}", "is it Python 3.8 or newer?")
    try:
        found = json.loads(out.splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise ToolError(f"{place.python} gave no answer that could be read: {out[:200]!r}") from error
    return {str(name): str(version) for name, version in found.items()}
