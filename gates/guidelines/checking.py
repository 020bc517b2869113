"""Is a guideline filled in, does it say the same as gates.toml, and does it say it once? Findings with their lines."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gates.guidelines.checklist import ITEM_WORDS, read_checklist
from gates.guidelines.demanded import Demanded, demand_of, values_of
from gates.guidelines.placeholders import Unfilled, find_unfilled
from gates.guidelines.quantities import same
from gates.guidelines.reading import Guideline, Stated, read_guidelines
from gates.guidelines.rendering import VARIABLES_TITLE
from gates.guidelines.rules import RULES
from gates.guidelines.subjects import KIND_OF, bounded_above
from gates.guidelines.variables import VARIABLES
from gates.results import Finding, Severity
from gates.rules import fingerprint

_SHOWN = 8
WORDS: Mapping[str, str] = {
    "response_time.simple": "simple operations",
    "response_time.complex": "complex operations",
    "response_time.file": "file operations",
    "response_time.external": "external API calls",
    "coverage.lines": "test coverage",
    "load.concurrency": "concurrent requests",
    "load.memory": "memory usage",
    "database.connections": "database connections",
}
"""What people call the targets that the guideline has numbers for."""
_MAY_BE_A_COMMENT = frozenset(
    {"response_time.file", "response_time.external", "coverage.lines", "database.connections"}
)
"""Of these a sound project may have nothing that could be measured, so that its gates.toml only shows them."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a guideline, and how much there was to find."""

    findings: tuple[Finding, ...]
    placeholders: int
    """How many of the 26 variables were left unfilled."""
    stated: int
    """How many numbers the guideline states."""
    equal: int
    """How many of them gates.toml demands, or shows."""
    silent: tuple[str, ...]
    """Targets that gates.toml demands, and the guideline has no number for."""


def check_guidelines(
    text: str, targets: Mapping[str, Demanded], *, path: str = "CLAUDE.md", left_out: Collection[str] = ()
) -> Checked:
    """Return what is wrong with a guideline, beside the demands of gates.toml.

    `left_out` names the items of the Definition of Done that gates.toml leaves out.
    """
    guideline, unfilled = read_guidelines(text), find_unfilled(text)
    # The same number in several places is one thing to mend.
    distinct: dict[tuple[str, float], list[Stated]] = {}
    for stated in guideline.numbers:
        distinct.setdefault((stated.target, stated.values[0]), []).append(stated)
    compared: list[Finding] = []
    unequal = 0
    for group in distinct.values():
        found = list(_compare(group[0], targets, path, _also([stated.line for stated in group])))
        compared += found
        unequal += len(group) * any(one.severity in (Severity.HIGH, Severity.MEDIUM) for one in found)
    named = {stated.target for stated in guideline.numbers}
    return Checked(
        (
            *_unfilled(unfilled, path), *_contradictions(guideline, targets, path), *compared,
            *_checklist(guideline, path, left_out),
        ),
        len(unfilled.variables),
        len(guideline.numbers),
        len(guideline.numbers) - unequal,
        tuple(target for target in KIND_OF if target in targets and targets[target].text and target not in named),
    )  # fmt: skip


def _finding(
    rule: str, message: str, *identity: str, path: str, line: int | None, fix: str = "",
    severity: Severity | None = None,
) -> Finding:  # fmt: skip
    known = RULES[rule]
    assert known.severity is not None
    where = path if line is None else f"{path}:{line}"
    return Finding(
        rule, severity or known.severity, f"{where} {message}", fingerprint(rule, *identity), path=path, line=line,
        fix=fix or known.fix,
    )  # fmt: skip


def _unfilled(left: Unfilled, path: str) -> Iterator[Finding]:
    for name, lines in left.variables.items():
        variable = VARIABLES[name]
        yield _finding(
            "guideline.placeholder", f"has the placeholder {{{name}}}, which nobody filled in{_also(lines)}", name,
            path=path, line=lines[0], fix=f"answer it: {variable.question} For example: {variable.example}",
        )  # fmt: skip
    if left.section:
        yield _finding(
            "guideline.placeholder", f"begins the section {VARIABLES_TITLE!r}, which belongs to the template",
            "the section of the template", path=path, line=left.section.start,
            fix="delete the section once everything is filled in",
            severity=Severity.MEDIUM if left.explains else Severity.LOW,
        )  # fmt: skip
    for word, lines in left.alike.items():
        yield _finding(
            "guideline.placeholder", f"has {word}, which looks like something to be filled in{_also(lines)}", word,
            path=path, line=lines[0], fix="write what holds, or put it between backticks when it is code",
            severity=Severity.LOW,
        )  # fmt: skip


def _also(lines: Sequence[int]) -> str:
    others = [str(line) for line in lines[1 : _SHOWN + 1]]
    more = " and others" if len(lines) > _SHOWN + 1 else ""
    return f" (also on line {', '.join(others)}{more})" if others else ""


def _accepted(demanded: Demanded, target: str) -> list[tuple[float, ...]]:
    """Return the numbers that the guideline may have: that of all phases, and a stricter one of the phase."""
    texts = [demanded.text] if demanded.text else []
    if demanded.phase_text and (not demanded.text or _is_stricter(demanded, target)):
        texts.append(demanded.phase_text)
    return [values_of(demand_of(target, text)) for text in texts]


def _is_stricter(demanded: Demanded, target: str) -> bool:
    of_phase, for_all = (demand_of(target, text).value for text in (demanded.phase_text, demanded.text))
    return of_phase <= for_all if bounded_above(target) else of_phase >= for_all


def _compare(stated: Stated, targets: Mapping[str, Demanded], path: str, also: str) -> Iterator[Finding]:
    target = stated.target
    demanded = targets.get(target, Demanded())
    said = f"says {stated.text!r} of {WORDS[target]}{also}"
    identity = (target, repr(stated.values[0]), demanded.text)
    if any(same(stated.values, values) for values in _accepted(demanded, target)):
        if demanded.phase_text and demanded.text and not _is_stricter(demanded, target):
            where = _where(demanded.phase_line)
            yield _finding(
                "guideline.number-differs",
                f"{said}, and the phase {demanded.phase} demands only {demanded.phase_text!r} ({where})", *identity,
                demanded.phase_text, path=path, line=stated.line, severity=Severity.LOW,
            )  # fmt: skip
        return
    if demanded.text and demanded.line is not None:
        yield _finding(
            "guideline.number-differs", f"{said}, and {_where(demanded.line)} demands {_key(target, demanded.text)}",
            *identity, path=path, line=stated.line, fix=_one_number(stated, demanded, path),
        )  # fmt: skip
        return
    shown = demanded.shown and same(stated.values, values_of(demand_of(target, demanded.shown)))
    held = f"; without it {demanded.in_force!r} holds" if demanded.in_force else ", so that nothing demands it"
    if shown and target in _MAY_BE_A_COMMENT:
        yield _finding(
            "guideline.target-missing", f"{said}, which {_where(demanded.shown_line)} has in a comment only{held}",
            *identity, path=path, line=stated.line, severity=Severity.INFO,
            fix="take the # away once there is something that can be measured",
        )  # fmt: skip
        return
    yield _finding(
        "guideline.target-missing", f"{said}, and gates.toml does not say {target}{held}", *identity,
        path=path, line=stated.line, fix=f"write {_key(target, _as_demand(stated))} into [targets] of gates.toml",
    )  # fmt: skip


def _where(line: int | None) -> str:
    return "gates.toml" if line is None else f"gates.toml:{line}"


def _key(target: str, text: str) -> str:
    return f'{target} = "{text}"'


def _one_number(stated: Stated, demanded: Demanded, path: str) -> str:
    return (
        f"write {_key(stated.target, _as_demand(stated))} on line {demanded.line} of gates.toml, "
        f"or the number of {demanded.text!r} on line {stated.line} of {path}"
    )


def _as_demand(stated: Stated) -> str:
    """Return what a stated number would be in gates.toml."""
    value = stated.values[0]
    written = {
        "time": f"{value * 1e3:.6g} ms", "size": f"{value / 1e6:.6g} MB", "share": f"{value * 100:.6g} %",
        "count": f"{value:.0f}",
    }[stated.kind]  # fmt: skip
    return f"{'<=' if bounded_above(stated.target) else '>='} {written}"


def _contradictions(guideline: Guideline, targets: Mapping[str, Demanded], path: str) -> Iterator[Finding]:
    for target in KIND_OF:
        first, *others = guideline.of(target) or (None,)
        accepted = _accepted(targets.get(target, Demanded()), target)
        for other in others:
            assert first is not None
            allowed = all(any(same(one.values, values) for values in accepted) for one in (first, other))
            if not same(first.values, other.values) and not allowed:
                yield _finding(
                    "guideline.contradiction",
                    f"says {other.text!r} of {WORDS[target]}, and line {first.line} says {first.text!r}",
                    target, repr(first.values[0]), repr(other.values[0]), path=path, line=other.line,
                )  # fmt: skip
                break


def _checklist(guideline: Guideline, path: str, left_out: Collection[str]) -> Iterator[Finding]:
    checklist = read_checklist(guideline.blocks)
    if not checklist.mentioned:
        yield _finding(
            "guideline.checklist", "says nothing of a Definition of Done", "no list", path=path, line=None,
            fix="add the nine items of the guideline, or a sentence that names the Definition of Done",
            severity=Severity.LOW,
        )  # fmt: skip
    if checklist.line is None:
        return
    for item, (title, _) in ITEM_WORDS.items():
        if item not in checklist.items and item not in left_out:
            yield _finding(
                "guideline.checklist", f"begins a Definition of Done without the item {title!r}", item,
                path=path, line=checklist.line,
                fix=f"add it (`- [ ] {title}`), or leave out {item} in [done.leave_out] of gates.toml with a reason",
            )  # fmt: skip
