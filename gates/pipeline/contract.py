"""`gates contract`: documents are read from files, two are compared, one is held to the conventions."""

from __future__ import annotations

import gc
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gates import documentation, rest
from gates.contract import RULES, compare_documents
from gates.contract.examination import LEVELS, Examination, FailOn, as_changes, described
from gates.document import Document, DocumentError, parse_document
from gates.document.reading import MAX_BYTES
from gates.errors import ConfigurationError
from gates.profiles import nearest_hint
from gates.results import Severity


def examine_contract(files: Sequence[Path], severities: Sequence[str], fail_on: FailOn) -> Examination:
    """Return what changed from the first document to the second, or what is wrong with the only one.

    `severities` are written RULE=error, warning, info or off. Raises ConfigurationError for a file that is no API
    description, and for a rule or severity that does not exist.
    """
    chosen = read_severities(severities)
    with _uncollected():
        return _examine(files, chosen, fail_on)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let no cycles be looked for meanwhile: among millions of values that stay, that is half of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _examine(files: Sequence[Path], chosen: Mapping[str, Severity | None], fail_on: FailOn) -> Examination:
    documents = [read_document(path) for path in files]
    names = [described(_shown(path), document) for path, document in zip(files, documents, strict=True)]
    if len(documents) == 1:
        settings = documentation.Settings(severities=_of("doc.", chosen))
        conventions = rest.Conventions(severities=_of("rest.", chosen))
        findings = [
            *documentation.check_documentation(documents[0], settings),
            *rest.check_conventions(documents[0], conventions),
        ]
        return Examination(None, names[0], as_changes(findings), fail_on=fail_on)
    try:
        compared = compare_documents(documents[0], documents[1], _of("contract.", chosen))
    except DocumentError as error:
        raise ConfigurationError(f"{names[0].name} and {names[1].name}: {error.message}", error.hint) from error
    return Examination(names[0], names[1], compared.changes, compared.unread, fail_on)


def _shown(path: Path) -> str:
    """Return a path as text that can be written; a name may be made of bytes that are none."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _of(family: str, severities: Mapping[str, Severity | None]) -> dict[str, Severity | None]:
    return {rule: severity for rule, severity in severities.items() if rule.startswith(family)}


def read_severities(written: Sequence[str]) -> dict[str, Severity | None]:
    """Return severities by rule, as people write them: `contract.default-changed=info`."""
    known = [*RULES, *rest.RULES, *documentation.RULES]
    found: dict[str, Severity | None] = {}
    for text in written:
        rule, sign, level = (part.strip() for part in text.partition("="))
        if not sign:
            raise ConfigurationError(f"--severity {text}: it has no severity", "write RULE=error, warning, info or off")
        if rule not in known:
            family = [name for name in known if name.startswith(f"{rule.partition('.')[0]}.")]
            raise ConfigurationError(
                f"--severity {text}: there is no rule {rule!r}", nearest_hint(rule, family or known)
            )
        if level not in LEVELS:
            raise ConfigurationError(f"--severity {text}: there is no severity {level!r}", nearest_hint(level, LEVELS))
        found[rule] = LEVELS[level]
    return found


def read_document(path: Path) -> Document:
    """Return the API description in a file, or in a pipe such as a shell's `<(git show HEAD:openapi.yaml)`.

    Raises ConfigurationError for whatever is none.
    """
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            raise ConfigurationError(f"{path} is a folder", "name the file of the API description in it")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path} does not exist", "name the file of an OpenAPI or Swagger document") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(f"{path} cannot be read: {reason}", "is it a file, and may gates read it?") from error
    if not data.strip():
        raise ConfigurationError(f"{path} is empty", "name the file of an OpenAPI or Swagger document")
    try:
        return parse_document(data)
    except DocumentError as error:
        raise ConfigurationError(f"{path}: {error.message}", error.hint) from error
