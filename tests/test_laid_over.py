"""Present files over a copy of an earlier build: the build itself stays as it was, and the copy is gone afterwards."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from projects import Project, gates_toml, small_project
from signed_build import context_beside

from gates import process
from gates.builds import Build, builds_folder, earlier_build, laid_over
from gates.config.model import Backend
from gates.errors import GatesError

SETTINGS = Backend(start="{python} -m small", python=sys.executable)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    files = {"small/__init__.py": "VERSION = 1\n", "bench/a.py": "then\n", "bench/gone.py": "", "tool.py": "then\n"}
    project = small_project(tmp_path / "my project", gates_toml(), **files)
    project.write({"small/__init__.py": "VERSION = 2\n", "bench/a.py": "now\n", "bench/new.py": "", "tool.py": "now\n"})
    (project.root / "bench" / "gone.py").unlink()
    return project


def build_of(project: Project) -> tuple[str, Build]:
    commit = project.git("rev-parse", "HEAD")
    return commit, earlier_build(project.root, commit, SETTINGS, builds_folder(project.root))


def test_what_measures_is_present_and_everything_else_is_of_the_build(project: Project) -> None:
    commit, build = build_of(project)
    (build.root / "out").mkdir()
    (build.root / "out" / "compiled.so").write_text("made by prepare")
    (build.root / "small" / "__pycache__").mkdir(exist_ok=True)
    with laid_over(project.root, commit, build, ["bench", "no/such/conftest.py"]) as copy:
        assert copy.root != build.root
        assert {path.name for path in (copy.root / "bench").iterdir()} == {"a.py", "new.py"}
        assert (copy.root / "bench" / "a.py").read_text() == "now\n"
        assert (copy.root / "tool.py").read_text() == "then\n"
        assert (copy.root / "out" / "compiled.so").read_text() == "made by prepare"
        assert not (copy.root / "small" / "__pycache__").exists()
        code, out, _ = process.capture(
            [sys.executable, "-c", "import small; print(small.VERSION, small.__file__)"],
            cwd=project.root.parent, env=copy.environment(),
        )  # fmt: skip
        assert (code, out) == (0, f"1 {copy.root}/small/__init__.py\n")
    assert not copy.root.exists()
    assert (build.root / "bench" / "a.py").read_text() == "then\n"
    assert earlier_build(project.root, commit, SETTINGS, builds_folder(project.root)).root == build.root


def test_one_measures_at_a_time_and_what_a_killed_one_left_is_replaced(project: Project) -> None:
    commit, build = build_of(project)
    with laid_over(project.root, commit, build, ["bench"]) as copy:
        earlier_build(project.root, commit, SETTINGS, builds_folder(project.root))
        assert copy.root.exists(), "another gate that looks for its build leaves the copy alone"
        with (
            pytest.raises(GatesError, match="another gates is measuring"),
            laid_over(project.root, commit, build, ["tool.py"]),
        ):
            pass
        assert copy.root.exists()
    (build.folder.parent / "beside").mkdir()
    (build.folder.parent / "beside" / "left.txt").write_text("by one that was killed")
    with laid_over(project.root, commit, build, ["tool.py"]) as copy:
        assert (copy.root / "tool.py").read_text() == "now\n"
        assert not (copy.root / "left.txt").exists()


def test_commands_need_no_backend_of_ours(project: Project) -> None:
    backend = f'url = "http://127.0.0.1:1"\npython = {json.dumps(sys.executable)}'
    gate = '[gates.bench]\ntool = "benchmark"\n'
    project.write({"gates.toml": gates_toml(gate, backend=backend)})
    earlier = context_beside(project, project.git("rev-parse", "HEAD")).earlier
    assert earlier is not None
    assert earlier.serve is None
    assert earlier.place is not None
    with earlier.place() as there:
        assert (there.root / "small" / "__init__.py").read_text() == "VERSION = 1\n"
        assert there.python == sys.executable
