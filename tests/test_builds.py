"""An earlier build is the source of its commit, with dependencies that are known; else it is refused, with why."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from projects import Project

from gates import builds, client, git, process
from gates.backend.serving import serving
from gates.builds import Build, builds_folder, earlier_build
from gates.config.model import Backend
from gates.errors import GatesError

SERVER = """
import http.server, sys
import shop
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{shop.VERSION} {shop.__file__}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
START = Backend(start="{python} serve.py {port}")


def shop(version: str, folder: str = "src/shop") -> dict[str, str]:
    return {f"{folder}/__init__.py": f"VERSION = {version!r}\n", "serve.py": SERVER}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A src-layout project with a blank in its path; its first commit is `one`, its present source `two`."""
    root = tmp_path / "my project"
    root.mkdir()
    project = Project(root)
    project.write({".gitignore": ".venv/\nnode_modules\n__pycache__/\n", **shop("one")})
    project.commit("one")
    return project


def moved_on(project: Project, **files: str) -> str:
    """Commit a second state and return the commit of the first."""
    first = project.git("rev-parse", "HEAD")
    project.write({**shop("two"), **files})
    project.commit("two")
    return first


def build(project: Project, commit: str, settings: Backend = START) -> Build:
    return earlier_build(project.root, commit, settings, builds_folder(project.root))


def answer_of(made: Build, tmp_path: Path, cpus: frozenset[int] | None = None) -> str:
    with serving(made.settings, made.root, tmp_path / "served", cpus) as backend:
        return client.request(backend.url, "GET", "/").body.decode()


def venv(root: Path, *lines: str, **files: str) -> Path:
    """Make an environment in a project as an editable install leaves it: lines of a .pth, and modules."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)
    packages = next((root / ".venv" / "lib").glob("python*/site-packages"))
    (packages / "__editable__.shop.pth").write_text("\n".join(lines) + "\n")
    for name, text in files.items():
        (packages / f"{name}.py").write_text(text)
    return packages


def trees(root: Path) -> list[str]:
    return [line for line in subprocess.run(
        ["git", "worktree", "list", "--porcelain"], cwd=root, capture_output=True, text=True, check=True
    ).stdout.splitlines() if line.startswith("worktree ")]  # fmt: skip


# ---- the source is that of the commit


def test_the_earlier_source_is_served_beside_the_present_one(project: Project, tmp_path: Path) -> None:
    made = build(project, moved_on(project))
    version, place = answer_of(made, tmp_path).split(" ", 1)
    assert version == "one"
    assert Path(place).is_relative_to(made.root)
    found = [path for path in project.root.rglob("serve.py") if ".git" not in path.parts]
    assert found == [project.root / "serve.py"]  # no tool that looks through the project finds it
    assert any("present gates.toml" in note for note in made.notes)


@pytest.mark.parametrize("folder", ["src/shop", "lib/shop"])
def test_an_editable_install_of_the_present_source_does_not_shadow_it(
    project: Project, tmp_path: Path, folder: str
) -> None:
    shutil.rmtree(project.root / "src")
    project.write(shop("one", folder))
    project.commit("one")
    commit = project.git("rev-parse", "HEAD")
    venv(project.root, str((project.root / folder).parent))
    project.write(shop("two", folder))
    project.commit("two")
    version, place = answer_of(build(project, commit), tmp_path).split(" ", 1)
    assert version == "one", place


def test_a_finder_that_is_asked_first_is_found_out(project: Project) -> None:
    commit = moved_on(project)
    finder = f"""
import importlib.machinery, sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "shop":
            return importlib.machinery.PathFinder.find_spec(name, [{str(project.root / "src")!r}])
sys.meta_path.insert(0, Finder)
"""
    venv(project.root, "import editable_finder", editable_finder=finder)
    with pytest.raises(GatesError, match="would import the present 'shop'") as caught:
        build(project, commit)
    assert "prepare" in caught.value.hint


def test_the_interpreter_and_the_folders_are_those_of_the_project_where_the_build_has_none(project: Project) -> None:
    commit = moved_on(project)
    venv(project.root)
    (project.root / "tools").mkdir()
    for python in (None, ".venv/bin/python"):
        settings = Backend(start="x", python=python, path=("tools", "src"), prepare="true" if python else None)
        made = build(project, commit, settings)
        folder = made.root if python is None else project.root  # without prepare, the environment is linked
        assert made.settings.python == str(folder / ".venv" / "bin" / "python")
        assert made.settings.path == (str(project.root / "tools"), "src")
        assert made.settings.env["PYTHONPATH"].startswith("{root}/src:")


def test_a_start_that_names_the_environment_finds_it(project: Project, tmp_path: Path) -> None:
    commit = moved_on(project)
    venv(project.root, str(project.root / "src"))
    settings = Backend(start=".venv/bin/python serve.py {port}")
    for _ in range(2):
        made = build(project, commit, settings)
        version, place = answer_of(made, tmp_path).split(" ", 1)
        assert version == "one", place
    git.remove_worktree(project.root, made.root)
    assert (project.root / ".venv" / "pyvenv.cfg").exists()


def test_what_pythonpath_held_stays_behind_the_build(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(project.root / "src"))
    made = build(project, moved_on(project))
    assert made.settings.env["PYTHONPATH"] == "{root}/src:{root}:${PYTHONPATH}"
    written = build(project, project.git("rev-parse", "HEAD~1"), Backend(start="x", env={"PYTHONPATH": "vendor"}))
    assert written.settings.env["PYTHONPATH"] == "{root}/src:{root}:vendor"


def test_a_project_in_a_subfolder_is_built_there(project: Project, tmp_path: Path) -> None:
    inner = project.root / "services" / "api"
    project.write({f"services/api/{name}": text for name, text in shop("one").items()})
    commit = project.commit("inner")
    project.write({f"services/api/{name}": text for name, text in shop("two").items()})
    made = earlier_build(inner, commit, START, builds_folder(inner))
    assert made.root.parts[-2:] == ("services", "api")
    assert answer_of(made, tmp_path).startswith("one ")
    with pytest.raises(GatesError, match="nothing in the folder of this project"):
        earlier_build(inner, project.git("rev-parse", "HEAD~1"), START, builds_folder(inner))


# ---- how it is started


def test_it_is_started_as_its_own_gates_toml_says(project: Project, tmp_path: Path) -> None:
    project.write({"gates.toml": '[project]\nname = "shop"\n[backend]\nstart = "{python} serve.py {port}"\n'})
    project.commit("with its own")
    commit = moved_on(project)
    made = build(project, commit, Backend(start="{python} moved.py {port}", prepare="true"))
    assert made.settings.start == "{python} serve.py {port}"
    assert made.settings.prepare == "true"
    assert made.notes == ("the earlier build is started by its own gates.toml",)
    assert answer_of(made, tmp_path).startswith("one ")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[project", "cannot be read"),
        ('[project]\nname = "shop"\nnonsense = 1\n', "cannot be read"),
        ('[project]\nname = "shop"\n[backend]\nurl = "http://127.0.0.1:1"\n', "starts no backend"),
    ],
)
def test_else_as_the_present_one_says_and_tells_why(project: Project, text: str, why: str) -> None:
    project.write({"gates.toml": text})
    project.commit("with its own")
    made = build(project, moved_on(project))
    assert made.settings.start == START.start
    assert why in made.notes[0]


def test_a_backend_that_is_already_up_cannot_be_built(project: Project) -> None:
    with pytest.raises(GatesError, match="already up"):
        build(project, moved_on(project), Backend(url="http://127.0.0.1:1"))


# ---- dependencies


@pytest.mark.parametrize(
    ("name", "one", "two"),
    [
        ("requirements.txt", "flask==3.0.0\n", "flask==3.1.0\n"),
        ("requirements/base.txt", "flask==3.0.0\n", "flask==3.1.0\n"),
        ("pyproject.toml", '[project]\ndependencies = ["a"]\n', '[project]\ndependencies = ["a", "b"]\n'),
        ("package-lock.json", '{"a": 1}', '{"a": 2}'),
        ("package.json", '{"dependencies": {"a": "1"}}', '{"dependencies": {"a": "2"}}'),
    ],
)
def test_other_dependencies_need_prepare(project: Project, name: str, one: str, two: str) -> None:
    project.commit("dependencies", **{name: one})
    commit = moved_on(project, **{name: two})
    with pytest.raises(GatesError, match="not the present ones") as caught:
        build(project, commit)
    assert name in caught.value.message
    assert "[backend] prepare" in caught.value.hint
    assert build(project, commit, Backend(start="x", prepare="true")).root.is_dir()


def test_a_manifest_that_only_says_another_version_does_not(project: Project) -> None:
    project.commit("one", **{"pyproject.toml": '[project]\nversion = "1"\ndependencies = ["a"]\n'})
    commit = moved_on(project, **{"pyproject.toml": '[project]\nversion = "2"\ndependencies = ["a"]\n'})
    assert build(project, commit).root.is_dir()


def test_packages_of_node_are_linked_and_survive_the_build(project: Project) -> None:
    project.commit("node", **{"package.json": "{}", "package-lock.json": "{}"})
    commit = moved_on(project)
    project.write({"node_modules/left-pad/index.js": "module.exports = 1\n"})
    made = build(project, commit)
    assert (made.root / "node_modules" / "left-pad" / "index.js").read_text() == "module.exports = 1\n"
    git.remove_worktree(project.root, made.root)
    assert not made.root.exists()
    assert (project.root / "node_modules" / "left-pad" / "index.js").exists()


def test_packages_that_are_links_to_the_present_source_are_refused(project: Project) -> None:
    project.commit("node", **{"package.json": "{}", "packages/core/index.js": "1\n"})
    commit = moved_on(project)
    (project.root / "node_modules" / "@shop").mkdir(parents=True)
    (project.root / "node_modules" / "@shop" / "core").symlink_to("../../packages/core")
    with pytest.raises(GatesError, match="node_modules/@shop/core is a link to the present source"):
        build(project, commit)


# ---- prepare


COUNTING = "echo made >> ../count && echo prepared by {python} > prepared.txt"


def count(project: Project) -> int:
    return (builds_folder(project.root) / "count").read_text().count("made")


def test_it_is_prepared_once_and_kept(project: Project) -> None:
    commit = moved_on(project)
    settings = Backend(start="x", prepare=COUNTING)
    made = build(project, commit, settings)
    assert (made.root / "prepared.txt").read_text() == f"prepared by {sys.executable}\n"
    assert build(project, commit, settings) == made
    assert count(project) == 1
    other = build(project, commit, Backend(start="x", prepare=COUNTING + " "))
    assert other.root != made.root
    assert count(project) == 2


def test_a_build_that_is_half_made_changed_or_gone_is_made_anew(project: Project) -> None:
    commit = moved_on(project)
    settings = Backend(start="x", prepare=COUNTING)
    made = build(project, commit, settings)
    made.root.with_name(f"{made.root.name}.json").unlink()
    assert build(project, commit, settings) == made
    assert count(project) == 2
    (made.root / "serve.py").write_text("tampered with")
    assert build(project, commit, settings) == made
    assert count(project) == 3
    assert (made.root / "serve.py").read_text() == SERVER
    shutil.rmtree(made.root)
    assert build(project, commit, settings) == made
    assert count(project) == 4


def test_prepare_that_fails_is_told_with_its_last_words_and_tried_again(project: Project) -> None:
    commit = moved_on(project)
    settings = Backend(start="x", prepare="echo no wheel for shop >&2; exit 3")
    for _ in range(2):
        with pytest.raises(GatesError, match=r"prepare = .* failed .*exit code 3(.|\n)*no wheel for shop") as caught:
            build(project, commit, settings)
    assert ".log" in caught.value.hint
    with pytest.raises(GatesError, match="no-such-program"):
        build(project, commit, Backend(start="x", prepare="no-such-program install"))


def test_prepare_fills_an_environment_of_the_build_and_that_is_used(project: Project, tmp_path: Path) -> None:
    commit = moved_on(project)
    venv(project.root, str(project.root / "src"))
    made = build(project, commit, Backend(start=START.start, prepare="{python} -m venv --without-pip .venv"))
    assert made.settings.python == str(made.root / ".venv" / "bin" / "python")
    assert "it has an interpreter of its own" in made.notes
    own = made.root / ".venv" / "lib"
    (next(own.glob("python*/site-packages")) / "shop.pth").write_text(str(made.root / "src"))
    assert answer_of(made, tmp_path).startswith("one ")


def test_prepare_that_changes_the_present_environment_is_refused(project: Project) -> None:
    commit = moved_on(project)
    packages = venv(project.root)
    with pytest.raises(GatesError, match="changed the present environment"):
        build(project, commit, Backend(start="x", prepare=f"mkdir '{packages}/flask-3.0.0.dist-info'"))


# ---- git is left as it was


def test_the_users_branches_index_and_hooks_are_left_alone(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = moved_on(project)
    hook = project.root / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch hook-ran\n")
    hook.chmod(0o755)
    project.write({"staged.txt": "staged\n", "serve.py": "changed\n"})
    project.git("add", "staged.txt")
    before = [project.git("status", "--porcelain"), project.git("branch", "--all"), project.git("rev-parse", "HEAD")]
    # As inside a hook of git: its variables name the user's index.
    monkeypatch.setenv("GIT_INDEX_FILE", str(project.root / ".git" / "index"))
    monkeypatch.setenv("GIT_DIR", str(project.root / ".git"))
    made = build(project, commit)
    monkeypatch.delenv("GIT_INDEX_FILE")
    monkeypatch.delenv("GIT_DIR")
    assert [
        project.git("status", "--porcelain"),
        project.git("branch", "--all"),
        project.git("rev-parse", "HEAD"),
    ] == before
    assert not (made.root / "hook-ran").exists()
    assert subprocess.run(["git", "symbolic-ref", "-q", "HEAD"], cwd=made.root, check=False).returncode == 1
    git.remove_worktree(project.root, made.root)
    assert len(trees(project.root)) == 1


def test_a_shallow_clone_says_what_to_fetch(project: Project, tmp_path: Path) -> None:
    commit = moved_on(project)
    project.git("clone", "-q", "--depth", "1", project.root.as_uri(), str(tmp_path / "shallow"))
    with pytest.raises(GatesError, match="not in this clone") as caught:
        build(Project(tmp_path / "shallow"), commit)
    assert "unshallow" in caught.value.hint


def test_builds_beyond_those_kept_are_removed_with_their_registrations(project: Project) -> None:
    commits = [moved_on(project, **{"n.txt": str(number)}) for number in range(builds.KEPT_BUILDS + 1)]
    made = [build(project, commit) for commit in commits]
    assert [one.root.is_dir() for one in made] == [False, True, True, True]
    build(project, commits[1])
    again = build(project, commits[0])
    assert again == made[0]
    assert [one.root.is_dir() for one in made] == [True, True, False, True]
    assert len(trees(project.root)) == 1 + builds.KEPT_BUILDS
    assert len(list(made[0].root.parent.glob("*.json"))) == builds.KEPT_BUILDS


def test_registrations_of_builds_that_were_deleted_go_and_the_users_own_stay(project: Project, tmp_path: Path) -> None:
    commit = moved_on(project)
    build(project, commit)
    project.git("worktree", "add", "-q", "--detach", str(tmp_path / "unplugged"), "HEAD")
    shutil.rmtree(tmp_path / "unplugged")
    shutil.rmtree(builds_folder(project.root))
    build(project, project.git("rev-parse", "HEAD"))
    left = trees(project.root)
    assert len(left) == 3
    assert f"worktree {tmp_path / 'unplugged'}" in left


def test_two_at_once_make_it_once(project: Project) -> None:
    commit = moved_on(project)
    settings = Backend(start="x", prepare="sleep 0.3; " + COUNTING)
    made: list[Build] = []
    threads = [threading.Thread(target=lambda: made.append(build(project, commit, settings))) for _ in range(2)]
    script = (
        "import sys; from pathlib import Path; from gates.builds import builds_folder, earlier_build; "
        "from gates.config.model import Backend; root = Path(sys.argv[1]); "
        "earlier_build(root, sys.argv[2], Backend(start='x', prepare=sys.argv[3]), builds_folder(root))"
    )
    with subprocess.Popen([sys.executable, "-c", script, project.root, commit, str(settings.prepare)]) as other:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert other.returncode == 0
    assert made[0] == made[1]
    assert count(project) == 1


# ---- cores


@pytest.mark.skipif(not process.available_cores(), reason="programs cannot be bound to cores here")
def test_the_server_runs_on_its_cores_only(project: Project, tmp_path: Path) -> None:
    core = frozenset({max(process.available_cores())})
    made = build(project, moved_on(project))
    with serving(made.settings, made.root, tmp_path / "served", core) as backend:
        assert backend.running is not None
        assert os.sched_getaffinity(backend.running.pid) == core


def test_a_checkout_that_was_interrupted_is_begun_again(project: Project) -> None:
    commit = moved_on(project)
    made = build(project, commit)
    # What git leaves behind when it is killed while it makes a worktree: a locked registration, and half the files.
    project.git("worktree", "lock", "--reason", "initializing", str(made.root))
    made.root.with_name(f"{made.root.name}.json").unlink()
    (made.root / "serve.py").unlink()
    assert build(project, commit) == made
    assert (made.root / "serve.py").read_text() == SERVER
    project.git("worktree", "lock", str(made.root))
    shutil.rmtree(made.root)
    assert build(project, commit) == made
    assert len(trees(project.root)) == 2


def test_a_project_that_is_itself_a_worktree_or_was_moved_is_built(project: Project, tmp_path: Path) -> None:
    commit = moved_on(project)
    project.git("worktree", "add", "-q", "-b", "beside", str(tmp_path / "beside"))
    beside = Project(tmp_path / "beside")
    assert build(beside, commit).root.is_dir()
    made = build(project, commit, Backend(start="x", prepare=COUNTING))
    project.root = project.root.rename(tmp_path / "elsewhere")
    again = build(project, commit, Backend(start="x", prepare=COUNTING))
    assert again.root.is_relative_to(project.root)
    assert again.root != made.root
    assert count(project) == 2  # what was prepared may hold its old path


def test_what_the_project_uses_of_its_repository_is_of_the_commit_too(project: Project, tmp_path: Path) -> None:
    inner = project.root / "services" / "api"
    project.write({"services/api/serve.py": SERVER, **shop("one", "libraries/shop/src/shop")})
    shutil.rmtree(project.root / "src")
    commit = project.commit("a repository of several projects")
    project.write({"services/api/serve.py": SERVER, **shop("two", "libraries/shop/src/shop")})
    venv(inner, str(project.root / "libraries" / "shop" / "src"))
    made = earlier_build(inner, commit, START, builds_folder(inner))
    version, place = answer_of(made, tmp_path).split(" ", 1)
    assert version == "one", place
    project.write({"package.json": "{}"})
    with_node = project.commit("packages for all")
    (project.root / "node_modules").mkdir()
    (project.root / "node_modules" / "core").symlink_to("../libraries/shop")
    with pytest.raises(GatesError, match="node_modules/core is a link to the present source"):
        earlier_build(inner, with_node, START, builds_folder(inner))


def test_projects_of_one_repository_do_not_take_each_others_builds(project: Project) -> None:
    project.write({f"{name}/serve.py": SERVER for name in ("a", "b")})
    commit = project.commit("two projects")
    made = [earlier_build(project.root / name, commit, START, builds_folder(project.root)) for name in ("a", "b")]
    assert [one.root.name for one in made] == ["a", "b"]
