"""`gates init`: looks at a project, proposes its gates.toml and its guideline, and says what was guessed from what.

First `look_at` says what can be guessed; whoever is asked corrects it; then `propose` writes both texts from the same
answers. A guideline that is there already is never written: its numbers become the targets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gates.config.load import CONFIGURATION_FILE, load_configuration
from gates.config.model import flat_targets
from gates.errors import ConfigurationError
from gates.guidelines.checking import WORDS
from gates.guidelines.demanded import demand_of, values_of
from gates.guidelines.quantities import same
from gates.guidelines.reading import Guideline, read_guidelines
from gates.guidelines.rendering import render
from gates.guidelines.subjects import KIND_OF
from gates.guidelines.variables import NUMBERS, VARIABLES, targets_of
from gates.init.configuration import configuration_text
from gates.init.databases import SERVERS
from gates.init.facts import Facts
from gates.init.guessing import Guess, guess_answers
from gates.init.telling import tell_answers
from gates.profiles import SKIPPED_FOLDERS, Profile, list_profiles, load_profile, recognise

GUIDELINE_FILE = "CLAUDE.md"
_SHOWN = 4
"""So many possibilities are named at most."""
_MOST_BYTES = 500_000


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a project before anybody is asked.

    `to_ask` are the variables that an answer can still change: where there is a guideline already, the numbers that it
    does not state; where there is a gates.toml, all but the numbers, which stand there.
    """

    facts: Facts
    profile: Profile
    file: str
    guesses: Mapping[str, Guess]
    told: tuple[str, ...]
    guideline: Guideline | None
    configured: bool

    @property
    def language(self) -> str:
        """The language of its code."""
        return self.guesses["LANGUAGE_EXTENSION"].answer

    @property
    def to_ask(self) -> tuple[str, ...]:
        """The variables whose answers are not settled yet, in their order."""
        if self.guideline is not None:
            return tuple(name for name, target in NUMBERS.items() if not self.guideline.of(target))
        return tuple(name for name in VARIABLES if not (self.configured and name in NUMBERS))


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be written: gates.toml and the guideline ("" for what is there already), and a sentence a guess."""

    text: str
    guesses: tuple[str, ...]
    guideline: str = ""
    file: str = GUIDELINE_FILE

    def files(self, root: Path) -> dict[Path, str]:
        """Return the texts by the path they go to."""
        texts = {root / CONFIGURATION_FILE: self.text, root / self.file: self.guideline}
        return {path: text for path, text in texts.items() if text}


def look_at(root: Path, profile_name: str | None = None, file: str | None = None) -> Look:
    """Return what can be guessed of the project in `root`; `file` is the name of its guideline, CLAUDE.md by default.

    Raises ConfigurationError when there is a gates.toml already (unless a guideline is named that is not there yet),
    when the guideline that is there cannot be read, or when the profile does not exist.
    """
    if not root.is_dir():
        raise ConfigurationError(f"there is no folder {root}", "-C names the folder of the project")
    configured = (root / CONFIGURATION_FILE).exists()
    name = GUIDELINE_FILE if file is None else file
    path = _inside(root, name)
    if configured and (file is None or path.exists()):
        both = f" and a {name}" if path.exists() and file else ""
        raise ConfigurationError(f"there is a {CONFIGURATION_FILE}{both} here already", _again(name, path.exists()))
    facts = Facts(root)
    told: list[str] = []
    if configured:
        configuration = load_configuration(root / CONFIGURATION_FILE)
        profile = load_profile("backends", configuration.backend.profile, root)
        targets, source = flat_targets(configuration.targets), CONFIGURATION_FILE
    else:
        profile = _profile(root, profile_name, told)
        targets, source = _profile_targets(profile), f"the profile {profile.name}"
    guideline = read_guidelines(_read(path)) if path.exists() else None
    guesses = guess_answers(facts, profile, {name: (text, source) for name, text in targets.items()}, guideline)
    return Look(facts, profile, name, guesses, tuple(told), guideline, configured)


def propose(root: Path, profile_name: str | None = None, answers: Mapping[str, str] | None = None) -> Proposal:
    """Return what would be written for the project in `root` if nobody was asked, with these answers."""
    look = look_at(root, profile_name)
    return propose_for(look, answers or {})


def propose_for(look: Look, answers: Mapping[str, str]) -> Proposal:
    """Return both texts, from the answers that were given and the guesses for all others.

    Raises ConfigurationError when an answer contradicts another one, or the guideline or gates.toml that is there.
    """
    _refuse_contradictions(look, answers)
    settled = _settle(look, answers)
    targets = targets_of({name: settled[name] for name in NUMBERS})
    guesses = list(look.told)
    text = ""
    if not look.configured:
        counted = any(server.lower() in settled["DATABASE_TYPE"].lower() for server in SERVERS)
        text = configuration_text(
            look.facts, look.profile, targets, counted=counted, guideline=look.file, guesses=guesses
        )
    guesses += tell_answers(look.guesses, answers, settled, look.guideline, look.file, look.language)
    guideline = render(settled) if look.guideline is None else ""
    return Proposal(text, tuple(guesses), guideline, look.file)


def _settle(look: Look, answers: Mapping[str, str]) -> dict[str, str]:
    settled = {name: answers.get(name, guess.answer) for name, guess in look.guesses.items()}
    for name, target in NUMBERS.items():
        if name not in answers:
            # Two numbers stand for one target: whoever says one of them has said the other.
            said = [
                answers[other] for other, same_target in NUMBERS.items() if same_target == target and other in answers
            ]
            settled[name] = said[0] if said else settled[name]
    return settled


def _refuse_contradictions(look: Look, answers: Mapping[str, str]) -> None:
    for name, target in NUMBERS.items():
        if name not in answers:
            continue
        demand = demand_of(target, targets_of({name: answers[name]})[target])
        stated = look.guideline.of(target) if look.guideline else ()
        if stated and not same(stated[0].values, values_of(demand)):
            raise ConfigurationError(
                f"{name} is answered with {answers[name]}, and line {stated[0].line} of {look.file}, which is there "
                f"already and stays, says {stated[0].text!r}",
                f"change it in {look.file}, or leave the answer out",
            )
        guess = look.guesses[name]
        if look.configured and guess.evidence and not same((float(guess.answer),), (float(answers[name]),)):
            raise ConfigurationError(
                f"{name} is answered with {answers[name]}, and {guess.evidence} of {WORDS[target]}",
                f"change it in {CONFIGURATION_FILE}, or leave the answer out",
            )


def _again(name: str, there: bool) -> str:
    if there:
        return "move it away to begin again"
    return f"move it away to begin again; `gates init --guidelines {name}` writes the guideline alone, with its numbers"


def _inside(root: Path, name: str) -> Path:
    """Return the path of the guideline; raises ConfigurationError for one outside the project, or in no folder."""
    path = Path(name)
    if not name.strip() or "\0" in name or path.is_absolute() or ".." in path.parts or path.name == CONFIGURATION_FILE:
        raise ConfigurationError(f"--guidelines {name!r} is no file inside the project", f"such as {GUIDELINE_FILE}")
    if not (root / path).parent.is_dir():
        raise ConfigurationError(f"--guidelines {name}: there is no folder {path.parent}", "make it first")
    return root / path


def _read(path: Path) -> str:
    hint = "`--guidelines NAME` takes another file"
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            raise ConfigurationError(f"{path.name} is there, and is no file that a guideline could be", hint)
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path.name} is not UTF-8 text (byte {error.start})", hint) from error
    except OSError as error:
        raise ConfigurationError(f"{path.name} cannot be read: {error.strerror}", hint) from error


def _profile_targets(profile: Profile) -> dict[str, str]:
    tables = profile.content.get("targets", {})
    found = {name: tables.get(name.partition(".")[0], {}).get(name.partition(".")[2]) for name in KIND_OF}
    return {name: str(text) for name, text in found.items() if text is not None}


def _profile(root: Path, name: str | None, told: list[str]) -> Profile:
    if name is not None:
        return load_profile("backends", name, root)
    fitting = recognise(root)
    if not fitting:
        known = ", ".join(profile.name for profile in list_profiles("backends", root))
        told.append(f"no framework was recognised, so the profile is 'generic' (there are: {known})")
        told += _further_in(root)
        return load_profile("backends", "generic", root)
    profile, evidence = fitting[0]
    others = [other.name for other, _ in fitting[1:] if other.name != profile.name]
    told.append(
        f"the framework is {profile.title}: {evidence}" + (f" (also possible: {', '.join(others)})" if others else "")
    )
    return profile


def _further_in(root: Path) -> Iterator[str]:
    """Yield a sentence for each folder of the project that looks like a backend by itself."""
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    found = []
    for folder in folders:
        fitting = recognise(folder) if folder.name not in SKIPPED_FOLDERS else []
        if fitting:
            profile, evidence = fitting[0]
            found.append(
                f"the folder {folder.name} looks like {profile.title} by itself ({evidence}): "
                f"`gates init -C {folder.name}` makes that the project"
            )
    yield from found[:_SHOWN]
