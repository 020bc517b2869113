"""What `gates init` says of the answers it guessed: each with what it was guessed from, the usual ones together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gates.guidelines.checking import WORDS
from gates.guidelines.quantities import same
from gates.guidelines.reading import Guideline
from gates.guidelines.variables import NUMBERS, VARIABLES
from gates.init.guessing import Guess

_OF_PYTHON = ("python", "text")
_LONGEST = 60


def tell_answers(
    guesses: Mapping[str, Guess], answers: Mapping[str, str], settled: Mapping[str, str], guideline: Guideline | None,
    file: str, language: str,
) -> Iterator[str]:  # fmt: skip
    """Yield a sentence for each guess that has evidence, and one for all that are only usual."""
    if guideline is not None:
        yield from _of_guideline(guideline, answers, settled, file)
        return
    guessed = {name: guess for name, guess in guesses.items() if name not in answers and guess.answer == settled[name]}
    for name, guess in guessed.items():
        if guess.evidence and VARIABLES[name].kind != "code":
            yield f"{_answer(name, guess.answer)}: {guess.evidence}"
    usual = [name for name, guess in guessed.items() if not guess.evidence and VARIABLES[name].kind != "code"]
    if usual:
        yield f"only usual, as nothing in the project says so: {_listed(usual, settled)}"
    code = [name for name in guessed if VARIABLES[name].kind == "code"]
    if code:
        yield f"the code in {file} is an example of the framework, and not this project's: put yours in its place"
    if language not in _OF_PYTHON:
        yield (
            f"the tree, the names of files and the # comments in {file} are the guideline's own, for Python: adapt "
            f"them to {language}"
        )


def _answer(name: str, answer: str) -> str:
    unit = VARIABLES[name].unit
    if unit is not None:
        return f"{name} = {answer} {unit.text}".rstrip()
    shown = answer if len(answer) <= _LONGEST else answer[:_LONGEST] + "…"
    return f"{name} = {shown!r}"


def _listed(names: Sequence[str], answers: Mapping[str, str]) -> str:
    return ", ".join(_answer(name, answers[name]) for name in names)


def _of_guideline(
    guideline: Guideline, answers: Mapping[str, str], settled: Mapping[str, str], file: str
) -> Iterator[str]:
    targets = dict.fromkeys(NUMBERS.values())
    stated = [target for target in targets if guideline.of(target)]
    if stated:
        numbers = ", ".join(f"{WORDS[target]} {guideline.of(target)[0].text!r} (line {guideline.of(target)[0].line})"
                            for target in stated)  # fmt: skip
        yield f"{file} is there and stays as it is; its numbers are the targets: {numbers}"
    else:
        yield (
            f"{file} is there and stays as it is; it states no number of the guideline, so that the gate `guidelines` "
            "has nothing to hold together: write them into it, or `--guidelines GUIDELINE.md` makes another file"
        )
    for target in stated:
        first, *others = guideline.of(target)
        if different := [other for other in others if not same(first.values, other.values)]:
            yield f"{file} says another number of {WORDS[target]} on line {different[0].line}: the first one was taken"
    usual = [name for name, target in NUMBERS.items() if target not in stated and name not in answers]
    if usual and stated:
        yield f"it has no number for these, so the usual ones hold: {_listed(usual, settled)}"
    if unused := [name for name in answers if name not in NUMBERS]:
        yield f"not used, as {file} is not written: {', '.join(unused)}"
