"""Numbers that a command prints or writes: what gates.toml says of them, and how they are found; pure.

A number that is not found is never a zero: it is missing, with a sentence that says what was there instead.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from gates.demands import UNITS, Dimension, parse_demand
from gates.results import Better

_STEP = re.compile(r"""\.([A-Za-z_][\w-]*)|\[(-?\d+)\]|\['([^']*)'\]|\["([^"]*)"\]""")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")

Steps = tuple[str | int, ...]
"""A parsed JSON path: names and indices."""


class NumberMissing(Exception):
    """A number could not be read; the text says what was looked for and what was there."""


def parse_path(text: str) -> Steps:
    """Return the steps of a JSON path such as `$.totals['failed'][0]`; raises ValueError where it stops being one."""
    if not text.startswith("$"):
        raise ValueError(f"{text!r} is not a JSON path: it begins with $, as in '$.totals.failed'")
    steps: list[str | int] = []
    position = 1
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise ValueError(
                f"{text!r} is not a JSON path from {text[position:]!r} on: use .name, ['any name'] and [0]"
            )
        name, index, single, double = match.groups()
        steps.append(int(index) if index is not None else next(s for s in (name, single, double) if s is not None))
        position = match.end()
    return tuple(steps)


def dimension_of(unit: str) -> tuple[Dimension, float]:
    """Return the dimension of a unit as written, and the factor to its base unit; raises ValueError for no unit."""
    if unit == "ratio":
        return "share", 1.0
    for dimension, units in UNITS.items():
        if unit in units:
            return dimension, units[unit]
    known = ", ".join(repr(name) for units in UNITS.values() for name in units if name)
    raise ValueError(f"{unit!r} is not a unit; known are {known}, 'ratio', and '' for a count")


class Number(BaseModel):
    """A number that a command prints or writes, and where it stands."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # The key is `json`, which as a name of a field would hide a method of the model.
    json_path: str | None = Field(
        default=None,
        alias="json",
        description="Where it stands in the JSON that is the whole output, or its last line",
        examples=["$.totals.failed"],
    )
    pattern: str | None = Field(
        default=None,
        description="A regular expression with one group, ^ and $ at every line; the last match counts",
        examples=[r"^p95: ([0-9.]+) ms"],
    )
    file: str | None = Field(
        default=None, description="A file that the command writes, to read instead of its output", min_length=1
    )
    unit: str = Field(default="", description="Unit of the number as it is written; empty for a count", examples=["ms"])
    better: Better = Field(default="neither", description="Which way is better, for comparison with earlier phases")
    demand: str | None = Field(default=None, description="What it must be", examples=["<= 5 %"])

    @field_validator("json_path")
    @classmethod
    def _is_path(cls, path: str | None) -> str | None:
        if path is not None:
            parse_path(path)
        return path

    @field_validator("pattern")
    @classmethod
    def _has_one_group(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        try:
            groups = re.compile(pattern).groups
        except (re.error, OverflowError) as error:
            raise ValueError(f"it is not a regular expression: {error}") from error
        if groups != 1:
            raise ValueError(f"it has {groups} groups, and needs one: the number itself")
        return pattern

    @field_validator("unit")
    @classmethod
    def _is_unit(cls, unit: str) -> str:
        dimension_of(unit)
        return unit

    @field_validator("demand")
    @classmethod
    def _is_demand(cls, demand: str | None, others: ValidationInfo) -> str | None:
        if demand is not None and "unit" in others.data:
            parse_demand(demand, dimension_of(others.data["unit"])[0])
        return demand

    @model_validator(mode="after")
    def _stands_in_one_place(self) -> Number:
        if (self.json_path is None) == (self.pattern is None):
            raise ValueError("a number needs either `json` or `pattern`: where it stands")
        return self

    @property
    def wanted(self) -> str:
        """What is looked for, in words."""
        what = f"`{self.json_path}`" if self.json_path is not None else f"the pattern `{self.pattern}`"
        return f"{what} in {self.file}" if self.file else what


def parse(number: Number, *texts: str) -> float:
    """Return a number in its base unit, from the first text that has it (output, then errors, or a file's content).

    Raises NumberMissing with what was looked for and what was there.
    """
    _, factor = dimension_of(number.unit)
    reasons = []
    for text in texts:
        try:
            if number.json_path is not None:
                return _value_of(_find(_load(text), parse_path(number.json_path))) * factor
            return _last_match(number.pattern or "", text) * factor
        except NumberMissing as missing:
            reasons.append(str(missing))
    raise NumberMissing(f"{number.wanted}: {reasons[0]}")


def _load(text: str) -> Any:
    """Return the JSON of a text, or of its last line where a program talks before it answers."""
    if not text.strip():
        raise NumberMissing("there is nothing")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        try:
            return json.loads(text.strip().splitlines()[-1])
        except (ValueError, RecursionError):
            raise NumberMissing(f"it is not JSON ({error})") from error


def _find(content: Any, path: Steps) -> Any:
    here = "$"
    for step in path:
        if isinstance(step, int) and isinstance(content, list):
            if not -len(content) <= step < len(content):
                raise NumberMissing(f"{here} has {len(content)} elements")
        elif isinstance(step, str) and isinstance(content, dict):
            if step not in content:
                keys = ", ".join(repr(key) for key in list(content)[:8]) or "nothing"
                raise NumberMissing(f"{here} has no {step!r}; it has {keys}")
        else:
            raise NumberMissing(f"{here} is {_kind(content)}")
        content = content[step]
        here += f"[{step!r}]" if isinstance(step, int) or not step.isidentifier() else f".{step}"
    return content


def _kind(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return f"{'an object' if isinstance(value, dict) else 'a list'} with {len(value)} elements"
    return "null" if value is None else f"the {type(value).__name__} {json.dumps(value)[:60]}"


def _value_of(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise NumberMissing(f"it is {_kind(value)}, not a number")
    return _finite(value)


def _finite(value: int | float | str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise NumberMissing(f"it is {str(value)[:60]}, which nothing can be compared with")
    return number


def _last_match(pattern: str, text: str) -> float:
    last = None
    for match in re.finditer(pattern, text, re.MULTILINE):
        last = match
    if last is None:
        raise NumberMissing("nothing matches")
    found = last[1]
    if found is None or not _NUMBER.fullmatch(found.strip()):
        raise NumberMissing(f"its group matches {found!r}, which is no number")
    return _finite(found.strip())
