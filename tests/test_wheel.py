"""The wheel, built and installed with pinned hashes into an environment of its own, is the whole product."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow


def run(command: list[str], cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)], folder)
    (built,) = folder.glob("phase_gates-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the commands of a clean environment with only the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("clean")
    run([sys.executable, "-m", "venv", "environment"], folder)
    python = folder / "environment" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet"]
    run([*install, "--require-hashes", "--requirement", str(ROOT / "constraints.txt")], folder)
    run([*install, "--no-deps", str(wheel)], folder)
    return python.parent


def test_profiles_and_the_example_are_inside_and_nothing_else_is_at_the_top(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "gates/shipped/profiles/backends/fastapi.toml" in names
    assert "gates/shipped/profiles/loads/normal.toml" in names
    assert "gates/demo/example/phase1/gates.toml" in names
    assert {"gates/guidelines/template.md", "gates/guidelines/examples/fastapi.md"} <= set(names)
    assert {name.split("/")[0] for name in names} == {"gates", next(n for n in names if "dist-info" in n).split("/")[0]}


def test_the_installed_command_finds_its_profiles(installed: Path, tmp_path: Path) -> None:
    listed = run([str(installed / "gates"), "profiles"], tmp_path)
    for name in ("generic", "fastapi", "flask", "django", "express", "normal", "smoke"):
        assert name in listed
    assert run([str(installed / "gates"), "--version"], tmp_path).startswith("gates ")


def test_the_installed_command_checks_a_project(installed: Path, tmp_path: Path) -> None:
    from gates.demo.repository import build

    build(tmp_path / "orders")
    output = run([str(installed / "gates"), "check", "tests", "security", "fuzz"], tmp_path / "orders")
    assert "PASS" in output
    assert "4 of 4 operations" in output
