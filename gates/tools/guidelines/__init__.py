"""Is CLAUDE.md filled in, and does it say the same numbers as gates.toml? A file and a table are read, nothing runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gates.errors import GatesError, NotMeasured, ToolError
from gates.guidelines import RULES
from gates.guidelines.checking import WORDS, Checked, check_guidelines
from gates.guidelines.demanded import Demanded, collect_demands
from gates.guidelines.subjects import KIND_OF
from gates.guidelines.variables import USUAL_TARGETS
from gates.profiles import load_profile, nearest_hint, read_toml
from gates.results import Gap, ItemId, Measurement, Readings, Severity, Subject
from gates.rules import graded
from gates.tools.base import Context, Requirement, Tool

_TOML = "gates.toml"
_MOST_BYTES = 500_000
_SEVERITIES: Mapping[str, Severity | None] = {
    "error": Severity.HIGH, "warning": Severity.MEDIUM, "info": Severity.LOW, "off": None,
}  # fmt: skip


def _known(rules: Any) -> Any:
    for name in rules if isinstance(rules, Mapping) else ():
        if name not in RULES:
            raise ValueError(f"there is no rule {name!r}: {nearest_hint(str(name), list(RULES))}")
    return rules


Rules = Annotated[dict[str, Literal["error", "warning", "info", "off"]], BeforeValidator(_known)]


class Guidelines(Tool):
    """Holds the guideline against gates.toml: no placeholder is left unfilled, and both say the same numbers."""

    tool: Literal["guidelines"] = "guidelines"
    # No item by default: a filled guideline says nothing of the API's documentation, and must not make it green alone.
    items: tuple[ItemId, ...] = Field(
        default=(),
        description="Items of the Definition of Done this gate helps decide; it counts by itself without any",
    )
    file: str = Field(default="CLAUDE.md", min_length=1, description="The guideline, relative to the project's folder")
    rules: Rules = Field(default_factory=dict, description="Severities by rule: `error`, `warning`, `info` or `off`")

    measures = ("guidelines.",)

    def run(self, context: Context) -> Readings:
        """Read and compare; raises NotMeasured where there is no guideline, ToolError where it cannot be read."""
        checked = check_guidelines(self._text(context), _demands(context), path=self.file, left_out=_left_out(context))
        severities = {rule: _SEVERITIES[grade] for rule, grade in self.rules.items()}
        gaps = () if checked.stated else (_no_number(self.file),)
        return Readings(
            measurements=tuple(_measured(checked)),
            findings=tuple(graded(checked.findings, RULES, severities)),
            subjects=(Subject("file", self.file, "scanned"),),
            gaps=gaps,
            notes=tuple(_notes(checked, self.file)),
        )

    def requirements(self, context: Context) -> list[Requirement]:
        """Return whether the guideline is there and can be read."""
        try:
            checked = check_guidelines(self._text(context), _demands(context), path=self.file)
        except GatesError as error:
            return [Requirement(self.file, False, error.message, error.hint)]
        unfilled = f", {checked.placeholders} placeholders unfilled" if checked.placeholders else ""
        return [Requirement(self.file, True, f"{checked.stated} numbers{unfilled}")]

    def _text(self, context: Context) -> str:
        path = context.root / self.file
        try:
            if not path.exists():
                raise NotMeasured(
                    f"there is no {self.file}",
                    f"`gates init --guidelines {self.file}` writes it, with the numbers of gates.toml",
                )
            if not path.is_file():
                raise ToolError(f"{self.file} is no file", "name the guideline as `file`")
            if path.stat().st_size > _MOST_BYTES:
                raise ToolError(f"{self.file} is larger than {_MOST_BYTES:,} bytes", "is this the guideline?")
            return path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ToolError(f"{self.file} is not UTF-8 text (byte {error.start})", "save it as UTF-8") from error
        except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
            reason = error.strerror if isinstance(error, OSError) else error
            raise ToolError(f"{self.file} cannot be read: {reason}", "name the guideline as `file`") from error


def _demands(context: Context) -> dict[str, Demanded]:
    """Return what gates.toml demands of each number of the guideline, in all phases and in the one that is checked."""
    path = context.root / _TOML
    written = read_toml(path)
    of_phase = _flat(context.phase_settings.get("targets"))
    for_all = {**USUAL_TARGETS, **_profile_targets(written, context), **_flat(written.get("targets"))}
    phases = [phase.get("name") for phase in written.get("phases", ())]
    number = phases.index(context.phase) if context.phase in phases else 0
    return collect_demands(path.read_text("utf-8"), for_all, context.phase, number, of_phase)


def _profile_targets(written: Mapping[str, Any], context: Context) -> dict[str, str]:
    profile = load_profile("backends", str(written.get("backend", {}).get("profile", "generic")), context.root)
    return _flat(profile.content.get("targets"))


def _flat(targets: Any) -> dict[str, str]:
    """Return the demands of nested tables that the guideline has numbers for, by dotted name."""
    found = {}
    for name in KIND_OF:
        table, _, key = name.partition(".")
        text = ((targets or {}).get(table) or {}).get(key)
        if text is not None:
            found[name] = str(text)
    return found


def _left_out(context: Context) -> frozenset[str]:
    return frozenset(read_toml(context.root / _TOML).get("done", {}).get("leave_out", {}))


def _no_number(file: str) -> Gap:
    return Gap(
        "numbers of the guideline",
        f"{file} states none that could be held against gates.toml; looked for {', '.join(WORDS.values())}",
        'write them as the guideline does: "**Simple Queries:** < 100ms", "Maintain 90% test coverage"',
    )


def _measured(checked: Checked) -> Iterator[Measurement]:
    yield Measurement("guidelines.placeholders", checked.placeholders, "1", "lower")
    if checked.stated:
        yield Measurement(
            "guidelines.numbers", checked.equal / checked.stated, "ratio", "higher",
            count=checked.equal, total=checked.stated,
        )  # fmt: skip


def _notes(checked: Checked, file: str) -> Iterator[str]:
    if checked.stated and checked.silent:
        yield f"{file} has no number for {', '.join(WORDS[target] for target in checked.silent)}"
