"""Runs inside the project's own interpreter: writes down which requests its tests send, and how they were answered.

It is a plug-in of pytest, or is told by `unittest_recorder` which test runs. The test clients of Starlette and FastAPI,
httpx, Flask and werkzeug, Django and its REST framework, aiohttp, and whatever is built on http.client (requests,
urllib3, urllib) are listened to once the project has imported them; nothing is imported for it. Only calls to an
application inside the tests' own process, or over the network to this machine, are kept: method, path, status. What a
mock answers is left alone where that can be told. It needs nothing but the standard library of Python 3.7 or newer.

Each process appends to a file of its own in the folder that GATES_CALLS_RECORD names, a line of JSON for each test that
sent a request. When the recording itself goes wrong the tests go on, and a line with `trouble` says so.
"""

from __future__ import annotations

import atexit
import functools
import inspect
import json
import os
import sys
import threading
import weakref
import zlib
from typing import Any, Callable  # noqa: UP035 - the other one cannot be subscripted before Python 3.9

_FOLDER = os.environ.get("GATES_CALLS_RECORD", "")
_MOST_CALLS = 50_000
"""Distinct calls that a process keeps apart; of the rest only the number is told."""
_MOST_BYTES = 64 * 2**20
_LONGEST_PATH = 2_000
_DEEPEST = 6
_HERE = ("localhost", "testserver", "::1", "0.0.0.0")
# Everything that reading somebody else's objects can end in; a test must never end in it.
_TROUBLES = (
    ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, OSError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip


class _Recorder:
    """What is known of the test that runs, and what it has sent so far."""

    def __init__(self) -> None:
        self.names: Any = weakref.WeakKeyDictionary()
        self.told: set[str] = set()
        self.begin_anew()

    def begin_anew(self) -> None:
        """Know of no call: at first, and in a process that was forked from one that knew some."""
        self.lock = threading.RLock()
        self.test, self.left_out, self.written = "", 0, 0
        self.calls: dict[tuple[Any, ...], int] = {}
        self.known: set[tuple[Any, ...]] = set()

    def note(self, application: str, method: str, path: str, status: int, kind: str) -> None:
        call = (application, method.upper(), path.partition("?")[0], int(status), "html" in kind.lower())
        with self.lock:
            if call not in self.known:
                if len(self.known) >= _MOST_CALLS or len(path) > _LONGEST_PATH:
                    self.left_out += 1
                    return
                self.known.add(call)
            self.calls[call] = self.calls.get(call, 0) + 1

    def change_test(self, test: str, passed: bool | None = None) -> None:
        """Write down what was sent until now, by the test that ran, and go over to another."""
        with self.lock:
            if self.calls:
                calls = [[*call, count] for call, count in self.calls.items()]
                self.write({"test": self.test, "passed": passed, "calls": calls})
            self.test, self.calls = test, {}

    def end(self) -> None:
        self.change_test("")
        if self.left_out:
            self.write({"left_out": self.left_out})

    def trouble(self, what: str) -> None:
        if what not in self.told:
            self.told.add(what)
            self.write({"trouble": what[:500]})

    def write(self, entry: dict[str, Any]) -> None:
        line = json.dumps(entry).encode() + b"\n"
        if self.written > _MOST_BYTES and "calls" in entry:
            self.left_out += sum(call[-1] for call in entry["calls"])
            return
        self.written += len(line)
        try:
            path = os.path.join(_FOLDER, f"{os.getpid()}.jsonl")
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError:
            self.left_out += 1  # a full disk: the tests themselves will tell of it


_recorder = _Recorder()
Note = Callable[[Any, "tuple[Any, ...]", "dict[str, Any]", Any], None]
"""Takes an object, what its method was called with, and what that returned."""


def _after(owner: Any, name: str, note: Note) -> None:
    """Let a method of a class be noted after each call; it returns and raises what it did before."""
    original = getattr(owner, name)

    def safely(*what: Any) -> None:
        try:
            note(*what)
        except _TROUBLES as error:
            _recorder.trouble(f"a call of {owner.__module__}.{owner.__name__}: {type(error).__name__}: {error}")

    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def listened(self: Any, *arguments: Any, **options: Any) -> Any:
            answer = await original(self, *arguments, **options)
            safely(self, arguments, options, answer)
            return answer
    else:

        @functools.wraps(original)
        def listened(self: Any, *arguments: Any, **options: Any) -> Any:
            answer = original(self, *arguments, **options)
            safely(self, arguments, options, answer)
            return answer

    setattr(owner, name, listened)


def _name_of(application: Any) -> str:
    """Return a name for an application, the same for two that were made alike: its kind, and a sum of its routes."""
    try:
        known = _recorder.names.get(application)
    except TypeError:
        return "app:" + type(application).__name__
    if known is None:
        inner, routes = application, []
        for _ in range(_DEEPEST):
            if hasattr(getattr(inner, "url_map", None), "iter_rules"):
                routes = [str(rule.rule) for rule in inner.url_map.iter_rules()]
            elif isinstance(getattr(inner, "routes", None), list):
                routes = [str(getattr(route, "path", "")) for route in inner.routes]
            below = next((getattr(inner, name) for name in ("app", "application") if hasattr(inner, name)), None)
            if routes or below is None:
                break
            inner = below
        total = zlib.crc32("\n".join(sorted(routes)).encode("utf-8", "replace"))
        known = f"app:{type(inner).__name__}:{total:08x}"
        _recorder.names[application] = known
    return str(known)


def _is_here(host: str) -> bool:
    host = host.strip("[]").lower()
    return host in _HERE or host.startswith("127.") or host.endswith(".localhost")


def _note_httpx(application: str, request: Any, response: Any) -> None:
    path = request.url.raw_path.decode("ascii", "replace")
    _recorder.note(application, request.method, path, response.status_code, response.headers.get("content-type", ""))


def _note_in_process(transport: Any, arguments: Any, options: Any, response: Any) -> None:
    _note_httpx(_name_of(transport.app), arguments[0] if arguments else options["request"], response)


def _note_network(transport: Any, arguments: Any, options: Any, response: Any) -> None:
    pool = type(getattr(transport, "_pool", None))
    for name in ("handle_request", "handle_async_request"):
        # Replaced by a mock, the function is of another package.
        if not getattr(getattr(pool, name, None), "__module__", "httpcore").startswith("httpcore"):
            return
    request = arguments[0] if arguments else options["request"]
    if _is_here(request.url.host):
        _note_httpx(f"net:{request.url.host}:{request.url.port or request.url.scheme}", request, response)


def _listen_to_httpx(module: Any) -> None:
    _after(module.HTTPTransport, "handle_request", _note_network)
    _after(module.AsyncHTTPTransport, "handle_async_request", _note_network)
    _after(module.ASGITransport, "handle_async_request", _note_in_process)
    _after(module.WSGITransport, "handle_request", _note_in_process)


def _listen_to_starlette(module: Any) -> None:
    if hasattr(module, "_TestClientTransport"):
        _after(module._TestClientTransport, "handle_request", _note_in_process)
    else:
        _after(module._ASGIAdapter, "send", _note_adapter)  # before 0.21 its client was built on requests


def _note_adapter(adapter: Any, arguments: Any, options: Any, response: Any) -> None:
    request = arguments[0] if arguments else options["request"]
    path = "/" + request.url.partition("://")[2].partition("/")[2]
    kind = response.headers.get("content-type") or ""
    _recorder.note(_name_of(adapter.app), request.method, path, response.status_code, kind)


def _note_werkzeug(client: Any, arguments: Any, options: Any, answer: Any) -> None:
    environ = arguments[0] if arguments else options["environ"]
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1").decode("utf-8", "replace")
    kind = answer[2].get("Content-Type") or ""
    _recorder.note(_name_of(client.application), environ["REQUEST_METHOD"], path, int(answer[1][:3]), kind)


def _note_django(client: Any, arguments: Any, options: Any, response: Any) -> None:
    request = response.request
    path = request.get("SCRIPT_NAME", "") + request["PATH_INFO"] if "PATH_INFO" in request else request["path"]
    try:
        path = path.encode("latin-1").decode("utf-8")  # as WSGI has it
    except UnicodeError:
        path = str(path)
    kind = response["Content-Type"] if response.has_header("Content-Type") else ""
    method = request.get("REQUEST_METHOD") or request["method"]
    _recorder.note("app:django", method, path, response.status_code, kind)


def _listen_to_django(module: Any) -> None:
    _after(module.Client, "request", _note_django)
    if hasattr(module, "AsyncClient"):
        _after(module.AsyncClient, "request", _note_django)


def _note_aiohttp(session: Any, arguments: Any, options: Any, response: Any) -> None:
    for one in (*response.history, response):
        if _is_here(one.url.host or ""):
            kind = one.headers.get("Content-Type", "")
            _recorder.note(f"net:{one.url.host}:{one.url.port}", one.method, one.url.raw_path, one.status, kind)


def _note_asked(connection: Any, arguments: Any, options: Any, nothing: Any) -> None:
    connection._gates_asked = (*arguments, options.get("method"), options.get("url"))[:2]


def _note_connection(connection: Any, arguments: Any, options: Any, response: Any) -> None:
    method, target = getattr(connection, "_gates_asked", ("", ""))
    if _is_here(connection.host) and target.startswith("/"):
        kind = response.headers.get("Content-Type") or ""
        _recorder.note(f"net:{connection.host}:{connection.port}", method, target, response.status, kind)


def _listen_to_connections(module: Any) -> None:
    _after(module.HTTPConnection, "putrequest", _note_asked)
    _after(module.HTTPConnection, "getresponse", _note_connection)


_LISTENERS: dict[str, Callable[[Any], None]] = {
    "httpx": _listen_to_httpx,
    "httpx2": _listen_to_httpx,
    "starlette.testclient": _listen_to_starlette,
    "werkzeug.test": lambda module: _after(module.Client, "run_wsgi_app", _note_werkzeug),
    "django.test.client": _listen_to_django,
    "rest_framework.test": lambda module: _after(module.DjangoTestAdapter, "send", _note_adapter),
    "aiohttp.client": lambda module: _after(module.ClientSession, "_request", _note_aiohttp),
    "http.client": _listen_to_connections,
}


def _listen(name: str, module: Any) -> None:
    try:
        _LISTENERS[name](module)
    except _TROUBLES as error:
        version = getattr(module, "__version__", "")
        _recorder.trouble(f"{name} {version} cannot be listened to: {type(error).__name__}: {error}")


class _Watcher:
    """Stands before the finders of modules: what is to be listened to is so as soon as its import is done."""

    def __init__(self) -> None:
        self.looking: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in _LISTENERS or name in self.looking:
            return None
        self.looking.add(name)
        try:
            finders = [finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec")]
            spec = next(filter(None, (finder.find_spec(name, path, target) for finder in finders)), None)
        finally:
            self.looking.discard(name)
        loader = getattr(spec, "loader", None)
        if hasattr(loader, "exec_module") and not isinstance(loader, type):
            self.listen_after(name, loader)
        return spec

    def listen_after(self, name: str, loader: Any) -> None:
        original = loader.exec_module

        def exec_module(module: Any) -> None:
            original(module)
            _listen(name, module)

        try:
            loader.exec_module = exec_module
        except AttributeError:
            _recorder.trouble(f"{name} cannot be listened to: its loader is not to be changed")


# What pytest calls; in the process that only hands tests out to others no request is sent, and nothing is written.

_went_well: dict[str, bool] = {}


def pytest_runtest_logstart(nodeid: str) -> None:
    """Note which test begins."""
    _went_well.clear()
    _recorder.change_test(nodeid)


def pytest_runtest_logreport(report: Any) -> None:
    """Note whether a part of it went well: it has passed when its body did, and no other part failed."""
    _went_well[report.when] = report.outcome == "passed" and _went_well.get(report.when, True)


def pytest_runtest_logfinish(nodeid: str) -> None:
    """Write down what it has sent."""
    _recorder.change_test("", _went_well.get("call", False) and all(_went_well.values()))


def begin_test(identity: str) -> None:
    """Note which test of unittest begins."""
    _recorder.change_test(identity)


def end_test() -> None:
    """Write down what it has sent; whether it passed is told elsewhere."""
    _recorder.change_test("")


if _FOLDER:
    for _name in _LISTENERS:
        if _name in sys.modules:
            _listen(_name, sys.modules[_name])
    sys.meta_path.insert(0, _Watcher())
    os.register_at_fork(after_in_child=_recorder.begin_anew)
    atexit.register(_recorder.end)
