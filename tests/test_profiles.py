"""Profiles: found in the project first, checked before they are used, and what frameworks are recognised by."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from projects import HERE

from gates.errors import ConfigurationError
from gates.profiles import discover_app, find_source, list_profiles, load_profile, recognise, shipped_folder

BACKENDS = ("django", "express", "fastapi", "flask", "generic")


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


# ---- where they are found


def test_what_is_shipped(tmp_path: Path) -> None:
    assert {profile.name for profile in list_profiles("backends", tmp_path)} >= set(BACKENDS)
    loads = {profile.name for profile in list_profiles("loads", tmp_path)}
    assert {"smoke", "normal", "peak", "stress", "soak", "spike"} <= loads
    for kind in ("backends", "loads"):
        for profile in list_profiles(kind, tmp_path):  # type: ignore[arg-type]
            assert profile.title != profile.name, f"{profile.name} has no title"
            assert profile.path.is_relative_to(shipped_folder())


def test_a_profile_of_the_project_hides_a_shipped_one(tmp_path: Path) -> None:
    root = write(tmp_path, **{
        "profiles/backends/flask.toml": 'title = "our Flask"\n', "profiles/backends/ours.toml": "",
    })  # fmt: skip
    assert load_profile("backends", "flask", root).title == "our Flask"
    ours = load_profile("backends", "ours", root)
    assert (ours.title, ours.path) == ("ours", root / "profiles" / "backends" / "ours.toml")
    assert load_profile("backends", "django", root).path.is_relative_to(shipped_folder())


def test_the_nearest_profile_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"\[backend\] profile = 'falsk': there is no such profile") as caught:
        load_profile("backends", "falsk", tmp_path, "[backend]")
    assert caught.value.hint.startswith("did you mean 'flask'? known are: django, ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[backend", "is not valid TOML"),
        ("[bakend]", "has no key 'bakend'"),
        ("gates = 3", r"gates is a table, \[gates\]"),
        ("backend = []", r"backend is a table, \[backend\]"),
        ("[gates.tests]\ncommand = 'x'", r"\[gates\.tests\] needs `tool`"),
        ("[gates]\ntests = 3", r"\[gates\.tests\] needs `tool`"),
        ("recognise = 'x'", "recognise is a list of files"),
        ("recognise = [{ pattern = 'x' }]", "recognise is a list of files"),
        ("recognise = [{ file = '*.py', pattern = '(' }]", r"'\(' is not a regular expression"),
        ("recognise = [{ file = '*.py', pattern = 3 }]", "3 is not a regular expression"),
        ("[discover]\nsuffix = '.py'", r"\[discover\] needs suffix and patterns"),
        ("[discover]\nsuffix = '.py'\npatterns = ['^app']", "needs a group"),
    ],
)
def test_a_broken_profile_is_told_by_its_file(tmp_path: Path, content: str, message: str) -> None:
    root = write(tmp_path, **{"profiles/backends/mine.toml": content})
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_profile("backends", "mine", root)
    assert "mine.toml" in caught.value.message
    assert caught.value.hint


# ---- what is recognised


@pytest.mark.parametrize(
    ("files", "name", "evidence"),
    [
        ({"manage.py": "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'x')"}, "django", "manage.py"),
        ({"app/main.py": "from fastapi import FastAPI\n"}, "fastapi", "app/main.py"),
        ({"pyproject.toml": '[project]\ndependencies = ["fastapi>=0.1"]\n'}, "fastapi", "pyproject.toml"),
        ({"requirements.txt": "Flask==3.0\n"}, "flask", "requirements.txt"),
        ({"server.py": "import flask\n"}, "flask", "server.py"),
        ({"package.json": '{"dependencies": {"express": "^4"}}'}, "express", "package.json"),
    ],
)
def test_frameworks_are_recognised_by_what_they_leave(
    tmp_path: Path, files: dict[str, str], name: str, evidence: str
) -> None:
    profile, told = recognise(write(tmp_path, **files))[0]
    assert profile.name == name
    assert told.startswith(evidence)


def test_where_several_fit_the_more_telling_one_comes_first(tmp_path: Path) -> None:
    write(tmp_path, **{"requirements.txt": "fastapi\nflask\n", "package.json": '{"dependencies": {"express": "1"}}'})
    assert [profile.name for profile, _ in recognise(tmp_path)] == ["fastapi", "flask", "express"]


def test_nothing_is_recognised_in_nothing(tmp_path: Path) -> None:
    assert recognise(tmp_path) == []
    (tmp_path / "manage.py").mkdir()
    assert recognise(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "app"), [("fastapi", "library.app:app"), ("flask", "notes.app:app"), ("express", None)]
)
def test_the_real_backends_are_recognised_with_their_application(tmp_path: Path, name: str, app: str | None) -> None:
    project = tmp_path / name
    shutil.copytree(HERE / "backends" / name, project, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    profile, _ = recognise(project)[0]
    assert profile.name == name
    assert discover_app(profile, project) == app


# ---- the application


@pytest.mark.parametrize(
    ("profile", "files", "app"),
    [
        ("fastapi", {"main.py": "app = FastAPI()\n"}, "main:app"),
        ("fastapi", {"shop/__init__.py": "", "shop/api.py": "api: FastAPI = fastapi.FastAPI(\n"}, "shop.api:api"),
        ("fastapi", {"src/shop/__init__.py": "app = FastAPI()\n"}, "shop:app"),
        ("fastapi", {"tests/test_x.py": "app = FastAPI()\n", "conftest.py": "app = FastAPI()\n"}, None),
        (
            "fastapi",
            {".venv/lib/x.py": "app = FastAPI()\n", "env9/pyvenv.cfg": "", "env9/y.py": "a = FastAPI()\n"},
            None,
        ),
        ("flask", {"web.py": "def create_app():\n    app = Flask(__name__)\n"}, "web:create_app"),
        ("fastapi", {"web.py": "def create_app():\n    app = FastAPI()\n    return app\n"}, "web:create_app"),
        ("fastapi", {"shop/main.py": "def shop() -> fastapi.FastAPI:\n    ...\n"}, "shop.main:shop"),
        (
            "fastapi",
            {"a.py": "def create_app(\n    *,\n    settings: dict[str, int] | None = None,\n    debug=bool(0),\n):\n"},
            "a:create_app",
        ),
        ("fastapi", {"a.py": "def create_app(settings): ...\n", "b.py": "def get_app(request: Request): ...\n"}, None),
        ("fastapi", {"a.py": "def create_app(x, y=1) -> FastAPI: ...\n"}, None),
        ("fastapi", {"a.py": "def create_app(): ...\n\n\nmain_app = create_app()\n"}, "a:main_app"),
        ("fastapi", {"a.py": "def create_app(): ...\n", "b.py": "app = a.create_app()\n"}, "b:app"),
        ("fastapi", {"a.py": "def create_app(): ...\n", "b/c.py": "app = FastAPI()\n"}, "b.c:app"),
        ("fastapi", {"a.py": "class App:\n    def create_app(self=None): ...\n"}, None),
        ("flask", {"a/deep/x.py": "app = Flask(__name__)\n", "b.py": "application = Flask('x')\n"}, "b:application"),
        ("flask", {"web.py": "def create_app():\n    ...\napp = create_app()\n"}, "web:app"),
        ("fastapi", {"a.py": "login_api = FastAPI()\n", "b/c/main.py": "app = FastAPI()\n"}, "b.c.main:app"),
        ("express", {"server.js": "const app = express()\n"}, None),
    ],
)
def test_the_application_is_found(tmp_path: Path, profile: str, files: dict[str, str], app: str | None) -> None:
    root = write(tmp_path, **files)
    assert discover_app(load_profile("backends", profile, root), root) == app


def test_source_with_undecodable_bytes_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"# caf\xe9\napp = FastAPI()\n")
    assert discover_app(load_profile("backends", "fastapi", tmp_path), tmp_path) == "a:app"


# ---- the project's own code


@pytest.mark.parametrize(
    ("files", "written", "source"),
    [
        ({"x.py": ""}, ("lib", "app"), ("lib", "app")),
        ({"my_shop/__init__.py": "", "other/__init__.py": ""}, (), ("my_shop",)),
        ({"src/my_shop/a.py": ""}, (), ("src/my_shop",)),
        ({"src/other/a.py": ""}, (), ("src",)),
        ({"app/main.py": ""}, (), ("app",)),
        ({"b/__init__.py": "", "a/__init__.py": "", "tests/__init__.py": ""}, (), ("a", "b")),
        ({"x.py": ""}, (), (".",)),
    ],
)
def test_the_source_is_as_written_or_as_usual(
    tmp_path: Path, files: dict[str, str], written: tuple[str, ...], source: tuple[str, ...]
) -> None:
    assert find_source("My-Shop", written, write(tmp_path, **files)) == source
