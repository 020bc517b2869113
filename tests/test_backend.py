"""The backend is started as a new colleague would, and what goes wrong with it is told with its last lines."""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from projects import HERE, SMALL_BACKEND, Api, left_of, marked

from gates import client
from gates.backend.environment import check_settings, project_environment
from gates.backend.serving import serving
from gates.backend.state import ServingBackend
from gates.config.model import Backend
from gates.errors import BackendFailed, ConfigurationError, ToolError
from gates.process import CommandNotFound

TOKEN = "the-secret-token-of-the-small-backend"  # what tests/small_backend.py gives to those it knows
Serve = Callable[..., AbstractContextManager[ServingBackend]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose folder has a blank in its name."""
    root = tmp_path / "my project"
    root.mkdir()
    shutil.copy(HERE / "small_backend.py", root)
    return root


@pytest.fixture
def serve(root: Path) -> Serve:
    """Starts the small backend, with some trouble and some settings."""

    @contextmanager
    def start(trouble: str = "", **settings: object) -> Iterator[ServingBackend]:
        settings = {"start": SMALL_BACKEND, "ready": "/health", "openapi": "/openapi.json", **settings}
        settings["env"] = {"TROUBLE": trouble, **settings.get("env", {})}  # type: ignore[dict-item]
        with serving(Backend.model_validate(settings), root, root / "work") as backend:
            yield backend

    return start


def asked(backend: ServingBackend) -> list[str]:
    """Return the requests that the small backend got."""
    assert backend.data is not None
    return (backend.data / "requests.txt").read_text().splitlines()


# ---- it starts


def test_it_serves_on_a_free_port_of_loopback_from_an_empty_data_folder(serve: Serve, root: Path) -> None:
    (root / "work" / "data").mkdir(parents=True)
    (root / "work" / "data" / "old.db").write_text("from a run before")
    with serve() as backend:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", backend.url)
        assert client.request(backend.url, "GET", "/things").status == 200
        assert backend.data is not None
        assert [path.name for path in backend.data.iterdir()] == ["requests.txt"]
        assert backend.started_by_us
        assert backend.alive()
        assert backend.document is not None
        assert [operation.name for operation in backend.document.operations] == ["GET /health", "GET /things"]
        usage = backend.usage()
        assert usage is not None
        assert usage.memory_bytes > 1_000_000
        assert "the small backend starts" in backend.last_lines()
    assert not backend.alive()
    assert not (root / "work" / "data").exists()
    assert (root / "work" / "backend.log").exists()


def test_two_at_the_same_time_have_ports_and_data_of_their_own(serve: Serve, root: Path) -> None:
    with serve() as first:
        settings = first.settings
        with serving(settings, root, root / "second") as second:
            assert first.url != second.url
            assert first.data != second.data
            assert client.request(first.url, "GET", "/health").status == 200
            assert client.request(second.url, "GET", "/health").status == 200


@pytest.mark.parametrize(
    "start",
    [
        SMALL_BACKEND,
        "{python} small_backend.py {port} {data}",
        'cd "{root}" && exec {python} small_backend.py {port} {data}',
        "cd '{root}' && exec {python} small_backend.py {port} \"{data}\"",
        "sh -c 'exec {python} small_backend.py {port} \"$WHERE\"'",
        "{python} small_backend.py $PORT '{data}'",
        "{python} small_backend.py ${PORT} ${WHERE}",
    ],
)
def test_placeholders_and_variables_stay_one_word_each(serve: Serve, start: str) -> None:
    with serve(start=start, env={"PORT": "{port}", "WHERE": "{data}"}) as backend:
        assert backend.data is not None
        assert " " in str(backend.data)
        assert asked(backend)


def test_the_application_stands_where_the_command_wants_it(serve: Serve, root: Path) -> None:
    (root / "app.py").write_text("import runpy, sys\nsys.argv = ['x', *sys.argv[2:]]\n"
                                 "runpy.run_path('small_backend.py', run_name='__main__')\n")  # fmt: skip
    with serve(start="{python} app.py {app} {port} {data}", app="orders.main:app") as backend:
        assert backend.running is not None
        assert backend.running.command[2] == "orders.main:app"


def test_secrets_of_the_environment_reach_it(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_PASSWORD", 'it\'s "quoted" $HOME')
    show = 'printenv SHOWN > {data}/shown.txt; printf %s "${A_PASSWORD}" > {data}/direct.txt'
    with serve(setup=[show], env={"SHOWN": "<${A_PASSWORD}>"}) as backend:
        assert backend.data is not None
        assert (backend.data / "shown.txt").read_text() == '<it\'s "quoted" $HOME>\n'
        assert (backend.data / "direct.txt").read_text() == 'it\'s "quoted" $HOME'


def test_its_own_interpreter_and_folders_stand_first_on_the_path(serve: Serve, root: Path) -> None:
    folder = root / "own" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)
    (root / "own" / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\n")
    tools = root / "tools"
    tools.mkdir()
    (tools / "serve-it").write_text('#!/bin/sh\necho "$VIRTUAL_ENV" > "$2/environment.txt"\n'
                                    'exec python small_backend.py "$1" "$2"\n')  # fmt: skip
    (tools / "serve-it").chmod(0o755)
    with serve(start="serve-it {port} {data}", path=["tools"], python="own/bin/python") as backend:
        assert backend.data is not None
        assert (backend.data / "environment.txt").read_text().strip() == str(root / "own")
        assert backend.running is not None
        assert any(str(folder / "python") in one.cmdline()[0] or one.cmdline()[0] == "python"
                   for one in backend.running.processes())  # fmt: skip


def test_without_python_in_the_project_the_environment_of_gates_stays_out_of_its_path(tmp_path: Path) -> None:
    def path(start: str = "./server {port}", **settings: object) -> list[str]:
        backend = Backend.model_validate({"start": start, "path": ["node_modules/.bin"], **settings})
        return project_environment(backend, tmp_path)["PATH"].split(os.pathsep)

    ours, users = str(Path(sys.executable).parent), os.environ["PATH"].split(os.pathsep)
    assert path() == [str(tmp_path / "node_modules" / ".bin"), *users]
    assert path("{python} server.py {port}")[1] == ours
    assert path(setup=["{python} migrate.py"])[1] == ours
    (tmp_path / "requirements.txt").touch()
    assert path() == [str(tmp_path / "node_modules" / ".bin"), ours, *users]


def test_readiness_is_asked_with_get_and_anything_below_500_will_do(serve: Serve) -> None:
    with serve(ready="/no-such-page") as backend:
        assert asked(backend)[0].startswith("GET /no-such-page")


def test_a_slow_start_is_waited_for(serve: Serve) -> None:
    with serve("late=1.2") as backend:
        assert backend.alive()


# ---- it does not start: the backend fails


def test_one_that_dies_at_its_start_fails_with_its_last_lines(serve: Serve) -> None:
    with pytest.raises(BackendFailed, match=r"ended before it was ready \(exit code 3\)") as caught, serve("dies"):
        pass
    assert "the small backend has no database" in caught.value.message
    assert "empty data folder" in caught.value.hint


def test_the_advice_shows_the_command_without_its_secrets(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_PASSWORD", "hunter-two")
    start = SMALL_BACKEND + " ${A_PASSWORD}"
    with pytest.raises(BackendFailed) as caught, serve("dies", start=start):
        pass
    assert "hunter-two" not in str(caught.value)
    assert "${A_PASSWORD}` by hand" in caught.value.hint


@pytest.mark.parametrize(
    ("trouble", "reason"), [("unready", "GET /health answered 503"), ("silent", "was not answered")]
)
def test_one_that_is_never_ready_fails_with_its_last_lines(serve: Serve, trouble: str, reason: str) -> None:
    with pytest.raises(BackendFailed, match=r"was not ready after 1\.5 s") as caught, serve(trouble, start_timeout=1.5):
        pass
    assert reason in caught.value.message
    assert "the small backend starts" in caught.value.message
    assert "start_timeout" in caught.value.hint


def test_one_that_dies_when_it_is_seeded_fails_with_its_last_lines(serve: Serve) -> None:
    with (
        pytest.raises(BackendFailed, match="the backend died") as caught,
        serve("crashes=/things", seed=[{"operation": "GET /things"}]),
    ):
        pass
    assert "exit code 7" in caught.value.message
    assert "the small backend crashed" in caught.value.hint


def test_another_process_on_its_port_is_not_taken_for_it(serve: Serve, root: Path) -> None:
    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    told = root / "port.txt"
    servers = []

    def listen() -> None:
        while not told.exists() or not told.read_text().strip():
            time.sleep(0.02)
        servers.append(ThreadingHTTPServer(("127.0.0.1", int(told.read_text())), Stranger))
        servers[0].serve_forever(0.05)

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        with (
            pytest.raises(BackendFailed, match="another process answers on port") as caught,
            serve(start="echo {port} > port.txt; sleep 300.875"),
        ):
            pass
    finally:
        servers[0].shutdown()
        thread.join()
    assert "already running" in caught.value.hint


def test_a_setup_command_that_fails_fails_the_backend(serve: Serve) -> None:
    with (
        pytest.raises(BackendFailed, match=r"setup = .* failed: it ended with exit code 4") as caught,
        serve(setup=["true", "echo no such table >&2; exit 4"]),
    ):
        pass
    assert "no such table" in caught.value.message


def test_setup_runs_before_every_start_in_the_data_folder(serve: Serve) -> None:
    for _ in range(2):
        with serve(setup=["{python} -c \"open(r'{data}/schema.sql', 'x')\""]) as backend:
            assert backend.data is not None
            assert (backend.data / "schema.sql").exists()


def test_a_setup_command_that_hangs_is_stopped(serve: Serve) -> None:
    with (
        pytest.raises(BackendFailed, match=r"setup = .* did not end within 0\.5 s"),
        serve(setup=["sleep 300.625"], start_timeout=0.5),
    ):
        pass
    assert left_of("300.625") == []


# ---- it could not be run: an error


def test_a_command_that_is_not_there_is_an_error(serve: Serve) -> None:
    with pytest.raises(CommandNotFound, match="no-such-server"), serve(start="no-such-server {port}"):
        pass


@pytest.mark.parametrize("start", ["cd . && no-such-server {port}", "sh -c 'no-such-server {port}'"])
def test_a_command_that_a_shell_does_not_find_is_an_error(serve: Serve, start: str) -> None:
    with pytest.raises(ToolError, match=r"start could not be run: .*no-such-server"), serve(start=start):
        pass


def test_a_setup_command_that_is_not_there_is_an_error(serve: Serve) -> None:
    with pytest.raises(CommandNotFound, match="no-such-tool"), serve(setup=["no-such-tool"]):
        pass
    with (
        pytest.raises(ToolError, match=r"setup could not be run: .*no-such-tool"),
        serve(setup=["cd . && no-such-tool"]),
    ):
        pass


# ---- the configuration says what cannot be


@pytest.mark.parametrize(
    ("settings", "message", "hint"),
    [
        ({}, "neither how the backend is started nor where it runs", "start ="),
        ({"start": "server ${NOT_SET_ANYWHERE}"}, r"start uses \$\{NOT_SET_ANYWHERE\}, which is not set", "export"),
        ({"start": "sh -c 'server ${NOT_SET_ANYWHERE}'"}, r"start uses \$\{NOT_SET_ANYWHERE\}", "export"),
        ({"start": "x", "setup": ["y ${NOT_SET_ANYWHERE}"]}, "setup uses", "export"),
        ({"start": "x", "env": {"DB": "${NOT_SET_ANYWHERE}"}}, r"\[backend.env\] DB uses", "export"),
        ({"start": "x", "auth": {"basic": "me:${NOT_SET_ANYWHERE}"}}, r"\[backend.auth\] uses", "export"),
        (
            {"start": "x", "auth": {"login": {"operation": "POST /login", "body": {"p": ["${NOT_SET_ANYWHERE}"]}}}},
            r"\[backend.auth\] uses", "export",
        ),
        ({"start": "x", "seed": [{"operation": "PUT /a", "body": "${NOT_SET_ANYWHERE}"}]}, "seed.* uses", "export"),
        ({"start": "x", "seed": [{"operation": "PUT /a", "headers": {"k": "${NOT_SET_ANYWHERE}"}}]}, "seed", "export"),
        ({"start": "server {prot}"}, r"start has \{prot\}, which stands for nothing", r"\{port\}"),
        ({"start": "uvicorn {app}"}, r"start needs \{app\}, and no application was found", "app ="),
        ({"start": "server 'unclosed"}, "start cannot be read as a command", "close the quotation"),
        ({"start": " "}, "start is empty", "write a command"),
        ({"start": "x", "python": ".venv/bin/python"}, r"python = '\.venv/bin/python' does not exist", "project"),
        ({"start": "x", "openapi": "openapi.yaml"}, r"openapi = 'openapi\.yaml' is not a file", "begins with /"),
        ({"start": "x", "auth": {"check": "/me"}}, r"check = '/me' is not an operation", "GET /path"),
        ({"start": "x", "auth": {"login": {"operation": "login"}}}, "login.operation = 'login'", "GET /path"),
        ({"start": "x", "seed": [{"operation": "things"}]}, "operation = 'things' is not an operation", "GET /path"),
        ({"url": "https://example.org"}, "'example.org' is not on this machine", "allow_hosts"),
        ({"url": "http://10.0.0.1:80", "allow_hosts": ["10.0.0.2"]}, "'10.0.0.1' is not on this machine", "allow_"),
        ({"url": "http://127.0.0.1.example.org"}, "is not on this machine", "allow_hosts"),
        ({"url": "127.0.0.1:8000"}, "is not an http or https URL", "http://127.0.0.1:8000"),
        ({"url": "ftp://127.0.0.1"}, "is not an http or https URL", "http://"),
        ({"url": "http://127.0.0.1:http"}, "is not a URL", ""),
        ({"url": "http://me:secret@127.0.0.1:8000"}, "url carries a user", "basic"),
        ({"url": "http://127.0.0.1:8000/api/v1"}, "is more than the address of a server", "base_path"),
    ],
)  # fmt: skip
def test_what_can_be_seen_to_be_wrong_is_told_before_anything_starts(
    root: Path, settings: dict[str, object], message: str, hint: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        check_settings(Backend.model_validate(settings), root)
    assert re.search(hint, caught.value.hint)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "http://localhost:8000/"},
        {"url": "http://[::1]:8000"},
        {"url": "http://127.9.9.9"},
        {"url": "https://api.test.example:8443", "allow_hosts": ["api.test.example"]},
        {"start": "awk '{print $1}' {data}"},
        {"start": "server --template '{name}'"},
    ],
)
def test_what_is_allowed_is_let_through(root: Path, settings: dict[str, object]) -> None:
    check_settings(Backend.model_validate(settings), root)


# ---- it is there already


def test_a_backend_that_is_up_is_used_and_left_alone(serve: Serve, root: Path) -> None:
    with serve() as running:
        settings = Backend(url=running.url + "/", ready="/health", openapi="/openapi.json")
        with serving(settings, root, root / "other") as backend:
            assert backend.url == running.url
            assert not backend.started_by_us
            assert backend.data is None
            assert backend.usage() is None
            assert backend.document is not None
        assert running.alive()
        running.running.stop()  # type: ignore[union-attr]
        assert not backend.alive()
        with pytest.raises(BackendFailed, match="the backend died"):
            backend.check()
    with pytest.raises(BackendFailed, match="nothing answers at http") as caught, serving(settings, root, root):
        pass
    assert "start the backend first" in caught.value.hint


def test_a_backend_that_is_up_and_not_ready_fails(serve: Serve, root: Path) -> None:
    with serve("unready", ready="/things") as running:
        settings = Backend(url=running.url, ready="/health")
        with (
            pytest.raises(BackendFailed, match="is not ready: GET /health answered 503"),
            serving(settings, root, root / "other"),
        ):
            pass


# ---- the way in

LOGIN = {"operation": "POST /login", "body": {"user": "demo", "password": "${SMALL}"}, "token": "$.data.tokens[0]"}


@pytest.fixture
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL", "open sesame")


@pytest.mark.usefixtures("_password")
def test_it_is_seeded_then_logged_into_with_json(serve: Serve) -> None:
    seed = [{"operation": "POST /things", "body": {"name": "${SMALL}"}, "headers": {"X-From": "seed"}}]
    with serve(auth={"login": LOGIN, "check": "GET /me"}, seed=seed) as backend:
        assert backend.headers == {"Authorization": f"Bearer {TOKEN}"}
        assert backend.login_works() is True
        backend.headers["Authorization"] = "Bearer stale"
        assert backend.login_works() is False
        first, second = [line for line in asked(backend) if line.startswith("POST")]
        assert first == 'POST /things application/json {"name": "open sesame"}'
        assert second.startswith("POST /login application/json ")


@pytest.mark.usefixtures("_password")
def test_a_login_may_be_a_form_and_its_token_a_header_of_its_own(serve: Serve) -> None:
    login = {**LOGIN, "form": True, "header": "X-Token", "scheme": ""}
    with serve(auth={"login": login, "check": "GET /me", "headers": {"X-Team": "<${SMALL}>"}}) as backend:
        assert backend.headers == {"X-Team": "<open sesame>", "X-Token": TOKEN}
        assert backend.login_works() is True
        assert any("POST /login application/x-www-form-urlencoded user=demo&password=open+sesame" in line
                   for line in asked(backend))  # fmt: skip


@pytest.mark.usefixtures("_password")
def test_basic_authentication(serve: Serve) -> None:
    with serve(auth={"basic": "demo:${SMALL}", "check": "GET /me"}) as backend:
        assert backend.login_works() is True


def test_nobody_is_asked_whether_there_is_no_login(serve: Serve) -> None:
    with serve() as backend:
        assert backend.login_works() is None


def test_a_refused_login_is_an_error_and_names_no_secret(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL", 'wrong-and "secret"')
    with (
        pytest.raises(ToolError, match=r"the login POST /login was refused with 401: .*no") as caught,
        serve(auth={"login": LOGIN}),
    ):
        pass
    assert "secret" not in str(caught.value)
    assert "[as sent]" in str(caught.value)


@pytest.mark.usefixtures("_password")
@pytest.mark.parametrize("token", ["$.access_token", "$.data.tokens[3]", "$.data.tokens.first", "$.data[0]"])
def test_a_login_without_a_token_where_it_should_be_is_an_error(serve: Serve, token: str) -> None:
    with (
        pytest.raises(ToolError, match="answered 200 without a token at") as caught,
        serve(auth={"login": {**LOGIN, "token": token}}),
    ):
        pass
    assert TOKEN not in str(caught.value)
    assert "login.token" in caught.value.hint


@pytest.mark.usefixtures("_password")
@pytest.mark.parametrize("token", ["$.data.tokens", "$.data"])
def test_a_token_is_a_word_and_not_a_structure(serve: Serve, token: str) -> None:
    with pytest.raises(ToolError, match="without a token at"), serve(auth={"login": {**LOGIN, "token": token}}):
        pass


def test_a_refused_seed_request_is_an_error(serve: Serve) -> None:
    with (
        pytest.raises(ToolError, match="the seed request POST /nowhere was refused with 404"),
        serve(seed=[{"operation": "POST /nowhere", "body": {}}]),
    ):
        pass


# ---- its document


def test_the_document_may_be_a_file_of_the_project(serve: Serve, root: Path) -> None:
    (root / "api.yaml").write_text("openapi: 3.1.0\ninfo: {title: x, version: '1'}\npaths: {/a: {get: {}}}\n")
    with serve(openapi="api.yaml") as backend:
        assert backend.document is not None
        assert [operation.name for operation in backend.document.operations] == ["GET /a"]
        assert not any("openapi" in line for line in asked(backend))


@pytest.mark.usefixtures("_password")
def test_the_document_may_stand_behind_the_login(serve: Serve) -> None:
    with serve("private", auth={"login": LOGIN}) as backend:
        assert backend.document is not None
    with serve("private") as backend:
        assert backend.document is None
        assert "answered 401, so it needs a login" in backend.document_error


def test_the_document_is_found_at_the_usual_addresses_and_that_is_said(serve: Serve) -> None:
    with serve(openapi=None) as backend:
        assert backend.document is not None
        assert any("write openapi = '/openapi.json'" in note for note in backend.notes)
    with serve("garbage", openapi=None) as backend:
        assert backend.document is None
        assert "no OpenAPI document was found at the usual addresses" in backend.document_error


def test_a_document_that_is_made_on_first_use_is_waited_for(serve: Serve) -> None:
    with serve("slow-document=2") as backend:
        assert backend.document is not None


@pytest.mark.parametrize(
    ("trouble", "settings", "reason"),
    [
        ("garbage", {}, r"the OpenAPI document /openapi\.json cannot be read: the document is not valid JSON"),
        ("moved", {}, "GET /openapi.json answered 302"),
        ("", {"openapi": "/things"}, "the document is not an object"),
        ("", {"openapi": "/health"}, "names no OpenAPI version"),
        ("slow-document=99", {"start_timeout": 1}, "answered 503"),
        ("crashes=/openapi.json", {}, "was not answered"),
    ],
)
def test_a_document_that_cannot_be_read_is_told_and_not_raised(
    serve: Serve, trouble: str, settings: dict[str, object], reason: str
) -> None:
    with serve(trouble, **settings) as backend:
        assert backend.document is None
        assert re.search(reason, backend.document_error)
        # Redirects are answers: nothing leads the harness elsewhere.
        assert not any("elsewhere" in line for line in asked(backend))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[1, 2]", b""])
def test_a_document_file_that_is_garbage_is_told(serve: Serve, root: Path, content: bytes) -> None:
    (root / "api.json").write_bytes(content)
    with serve(openapi="api.json") as backend:
        assert backend.document is None
        assert backend.document_error.startswith("the OpenAPI document api.json cannot be read")


def test_a_prefix_that_the_document_does_not_name_comes_from_the_configuration(serve: Serve) -> None:
    with serve(base_path="api/v1/") as backend:
        assert backend.document is not None
        assert backend.document.base_path == "/api/v1"


def test_an_answer_that_trickles_in_for_ever_has_an_end(serve: Serve) -> None:
    with (
        serve("trickle", openapi="small_backend.py") as backend,
        pytest.raises(client.NoAnswer, match=r"was not answered within 0\.7 s"),
    ):
        client.request(backend.url, "GET", "/openapi.json", timeout=0.7)


# ---- it stops


def test_it_is_noted_when_it_listens_to_the_whole_network(serve: Serve) -> None:
    with serve("everywhere") as backend:
        assert any("listens on all interfaces" in note for note in backend.notes)
    with serve() as backend:
        assert backend.notes == []


@pytest.mark.slow
def test_everything_it_started_is_stopped(serve: Serve, root: Path) -> None:
    mark = f"everything-{os.getpid()}"
    start = f"sh -c \"{{python}} small_backend.py {{port}} '{{data}}' {mark} & wait; sleep 300\""
    with serve("stubborn daemon", start=start, env={"MARK": mark}):
        assert len(marked(mark)) >= 4  # the warden, the shell, the backend that ignores SIGTERM, and its daemon
    assert left_of(mark, 0.5) == []
    assert not (root / "work" / "data").exists()


def test_it_is_stopped_when_its_user_fails(serve: Serve) -> None:
    mark = f"failing-{os.getpid()}"
    with pytest.raises(RuntimeError, match="the tool"), serve(env={"MARK": mark}):
        raise RuntimeError("the tool broke")
    assert left_of(mark, 0.5) == []


def test_a_death_is_told_with_its_last_lines(serve: Serve) -> None:
    with serve("crashes=/things") as backend:
        backend.check()
        with pytest.raises(client.NoAnswer):
            client.request(backend.url, "GET", "/things")
        assert backend.running is not None
        assert backend.running.wait(20) is not None
        with pytest.raises(BackendFailed, match=r"the backend died \(exit code 7\)") as caught:
            backend.check()
        assert "the small backend crashed" in caught.value.hint


@pytest.mark.slow
def test_no_secret_is_in_any_file_that_a_check_leaves_behind(api: Api) -> None:
    root = api.project.root
    assert all(one["verdict"] != "error" for one in api.first["gates"]), api.first
    assert "login" not in str([one["gaps"] for one in api.first["gates"]])  # it worked all the time
    kept = [path for folder in (".gates", "baselines") for path in (root / folder).rglob("*") if path.is_file()]
    assert {"history.db", "01-one.db", "01-one.md", "backend.log"} <= {path.name for path in kept}
    for secret in api.secrets:
        assert [path for path in kept if secret.encode() in path.read_bytes()] == []
        assert secret not in str(api.first)
        for kind in ("terminal", "json", "junit", "markdown"):
            assert secret not in api.project.call("report", "one", "--format", kind).out


# ---- real frameworks


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fastapi", "flask"])
def test_real_backends_are_served_by_their_own_gates_toml(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gates.config.load import load_configuration

    monkeypatch.setenv("LIBRARY_PASSWORD", "a password")
    project = tmp_path / name
    shutil.copytree(HERE / "backends" / name, project, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    settings = load_configuration(project / "gates.toml").backend
    with serving(settings, project, tmp_path / "work") as backend:
        assert backend.document is not None
        assert len(backend.document.operations) >= 6
        assert backend.login_works() in (True, None)
        assert backend.notes == []
    for path in tmp_path.joinpath("work").rglob("*"):
        if path.is_file() and backend.headers:
            assert backend.headers["Authorization"].split()[-1] not in path.read_text("utf-8", "replace")


def test_processes_of_this_test_are_gone() -> None:
    children = psutil.Process().children(recursive=True)
    assert [one for one in children if "small_backend.py" in " ".join(one.cmdline())] == []
