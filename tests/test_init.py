"""`gates init`: what it writes can be loaded at once, says what a person would have written, and what was guessed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from projects import HERE

from gates.config.load import load_configuration
from gates.config.model import Configuration
from gates.errors import ConfigurationError
from gates.init import Proposal, propose


def accept(root: Path, profile: str | None = None) -> tuple[Proposal, Configuration]:
    """Write what is proposed, and load it."""
    proposal = propose(root, profile)
    (root / "gates.toml").write_text(proposal.text, "utf-8")
    return proposal, load_configuration(root / "gates.toml")


@pytest.mark.parametrize(("name", "source"), [("fastapi", "library"), ("flask", "notes"), ("express", None)])
def test_the_real_backends_get_what_was_written_for_them_by_hand(tmp_path: Path, name: str, source: str | None) -> None:
    root = tmp_path / (source or "stock")
    shutil.copytree(HERE / "backends" / name, root, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    (root / "gates.toml").rename(root / "by-hand.toml")
    by_hand = load_configuration(root / "by-hand.toml")
    proposal, proposed = accept(root)
    assert proposed.backend.profile == by_hand.backend.profile
    assert proposed.backend.app == by_hand.backend.app
    # Besides what was written by hand: the guideline's gates, and those that hold a document to its promises.
    further = {"guidelines", "openapi", "phase", "replay"}
    assert {tool.tool for tool in proposed.gates.values()} == further | {tool.tool for tool in by_hand.gates.values()}
    if source:
        assert proposed.project.source == (source,)
    assert any("framework is" in guess for guess in proposal.guesses)


def test_every_guess_is_told(tmp_path: Path) -> None:
    root = tmp_path / "orders-api"
    for name, text in {
        "pyproject.toml": '[project]\nname = "orders"\ndependencies = ["fastapi"]\n',
        "orders/__init__.py": "",
        "orders/main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
        "docs/openapi.yaml": "openapi: 3.1.0\n",
        ".venv/bin/python": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    proposal, configuration = accept(root)
    told = "\n".join(proposal.guesses)
    for guess in (
        "the framework is FastAPI: orders/main.py", "the project is called 'orders', after pyproject.toml",
        "the project's own code is in orders", "the application is orders.main:app",
        "the OpenAPI document is docs/openapi.yaml", "the backend's environment is .venv",
    ):  # fmt: skip
        assert guess in told
    backend = configuration.backend
    assert (backend.app, backend.openapi, backend.python) == (
        "orders.main:app", "docs/openapi.yaml", ".venv/bin/python",
    )  # fmt: skip
    assert [phase.name for phase in configuration.phases] == ["foundation"]


def test_where_nothing_is_known_that_is_said(tmp_path: Path) -> None:
    proposal, configuration = accept(tmp_path)
    assert configuration.backend.profile == "generic"
    assert configuration.backend.start is None
    told = "\n".join(proposal.guesses)
    assert "no framework was recognised, so the profile is 'generic' (there are: django, express" in told
    assert "how the backend starts is not known" in told
    assert f"the project is called {tmp_path.name!r}, after its folder" in told


def test_a_backend_in_a_folder_of_its_own_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "manage.py").write_text("os.environ['DJANGO_SETTINGS_MODULE'] = 'site.settings'\n")
    (tmp_path / "node_modules" / "express").mkdir(parents=True)
    (tmp_path / "node_modules" / "package.json").write_text('{"dependencies": {"express": "5"}}')
    told = [guess for guess in accept(tmp_path)[0].guesses if guess.startswith("the folder")]
    assert len(told) == 1
    assert told[0].startswith("the folder site looks like Django by itself (manage.py ")
    assert "`gates init -C site`" in told[0]


def test_of_several_applications_the_others_are_named(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")
    (tmp_path / "admin.py").write_text("from fastapi import FastAPI\nadmin = FastAPI()\n")
    told = "\n".join(accept(tmp_path)[0].guesses)
    assert "the application is main:app (also possible: admin:admin)" in told


def test_a_profile_may_be_named(tmp_path: Path) -> None:
    proposal, configuration = accept(tmp_path, "flask")
    assert configuration.backend.profile == "flask"
    assert any("no application was found" in guess for guess in proposal.guesses)
    (tmp_path / "gates.toml").unlink()
    with pytest.raises(ConfigurationError, match="'falsk': there is no such profile") as caught:
        propose(tmp_path, "falsk")
    assert "did you mean 'flask'?" in caught.value.hint


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "gates.toml").write_text("mine")
    with pytest.raises(ConfigurationError, match=r"there is a gates\.toml here already"):
        propose(tmp_path)


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"pyproject.toml": '[project]\nname = "caf\u00e9 \U0001f600 \\"x\\" \\\\ y"\n'}, 'café \U0001f600 "x" \\ y'),
        ({"pyproject.toml": "project = 1\n", "package.json": '{"name": "@scope/shop"}'}, "@scope/shop"),
        ({"pyproject.toml": '[project]\nname = ""\n', "package.json": "[1]"}, "folder"),
        ({"pyproject.toml": "[project\n", "package.json": "{"}, "folder"),
        ({"package.json": '{"name": "a\\u007fb\\u0001c"}'}, "a\x7fb\x01c"),
        ({"package.json": '{"name": "half \\ud800"}'}, "half ?"),
    ],
)
def test_any_name_can_be_written(tmp_path: Path, files: dict[str, str], name: str) -> None:
    root = tmp_path / "folder"
    root.mkdir()
    for path, text in files.items():
        (root / path).write_text(text, "utf-8")
    assert accept(root)[1].project.name == name
