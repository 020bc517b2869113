"""The recorder never breaks a test, says when it went wrong, and what cannot be known is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from recorded_suites import SHOP, Backend, Suite, document, seen, share

from gates.tools.coverage import Coverage
from gates.tools.coverage.calls import CallRecord, Sent, parse_calls
from gates.traffic.calls import Call

HTTPX = """
class {name}:
    def __init__(self, app=None):
        self.app = app

    def handle_request(self, request):
        return None

    async def handle_async_request(self, request):
        return None

"""
ODD_HTTPX = "".join(HTTPX.format(name=name) for name in ("HTTPTransport", "AsyncHTTPTransport", "ASGITransport"))


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    made = Suite(tmp_path / "project", tmp_path / "run", Backend(document(*SHOP)))
    made.write({"shop/__init__.py": ""})
    return made


def test_a_library_of_another_shape_is_told_and_breaks_nothing(suite: Suite) -> None:
    suite.write({
        "httpx.py": ODD_HTTPX,
        "test_shop.py": """
import httpx

def test_a():
    assert httpx.HTTPTransport().handle_request("no request at all") is None
""",
    })  # fmt: skip
    found = suite.run()
    assert [one.outcome for one in found.subjects] == ["passed"]
    told = [note for note in found.notes if "not every call was recorded" in note or "is not known" in note]
    assert any("httpx" in note and "cannot be listened to: AttributeError" in note for note in told), found.notes
    suite.demanded = ">= 90 %"
    gaps = [gap for gap in suite.run().gaps if gap.what == "tests.operations"]
    assert "cannot be listened to" in gaps[0].reason


def test_tests_without_a_request_start_no_backend_unless_a_target_wants_it(suite: Suite) -> None:
    suite.write({"test_shop.py": "def test_a(): pass\n"})
    found = suite.run()
    assert (share(found), suite.backend.starts, found.operations) == (None, 0, ())
    assert "the tests sent no request that could be recorded" in found.notes
    suite.demanded = ">= 90 %"
    assert share(suite.run()) == (0, 4)


CALLS = """
import http.client
from shop.server import url

def test_a():
    connection = http.client.HTTPConnection("127.0.0.1", int(url.rpartition(":")[2]))
    connection.request("GET", "/orders")
    assert connection.getresponse().status == 200
"""


class Orders(BaseHTTPRequestHandler):
    """Answers 200 to everything."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - the name that http.server asks for

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def orders() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Orders)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("dead", ["at once", ""])
def test_without_a_document_the_tests_are_judged_all_the_same(suite: Suite, orders: str, dead: str) -> None:
    suite.write({"shop/server.py": f"url = {orders!r}\n", "test_shop.py": CALLS})
    suite.backend = Backend(None, dead=dead)
    reason = "the backend ended before it was ready" if dead else "GET /openapi.json answered 404"
    found = suite.run()
    assert [one.outcome for one in found.subjects] == ["passed"]
    assert (found.operations, [gap for gap in found.gaps if gap.what == "tests.operations"]) == ((), [])
    assert f"which operations the tests call is not known: {reason}" in found.notes
    suite.demanded = ">= 90 %"
    assert [gap.reason for gap in suite.run().gaps if gap.what == "tests.operations"] == [reason]


def test_it_can_be_switched_off_and_is_left_out_by_fast(suite: Suite, orders: str) -> None:
    suite.write({"shop/server.py": f"url = {orders!r}\n", "test_shop.py": CALLS})
    assert suite.run(operations=False).operations == ()
    assert not (suite.directory / "calls").exists()
    suite.fast = True
    found = suite.run()
    assert (found.operations, suite.backend.starts) == ((), 0)
    assert any("--fast" in note for note in found.notes)
    suite.demanded = ">= 1 %"
    assert share(suite.run()) == (1, 4)


def test_tests_pointed_at_the_backend_go_through_a_proxy(suite: Suite, orders: str) -> None:
    suite.write({
        "shop/client.py": "import urllib.request\n\n\ndef ask(url):\n    return urllib.request.urlopen(url).status\n",
        "test_shop.py": """
import os, subprocess, sys
from shop.client import ask

URL = os.environ["URL"]

def test_own():
    assert URL == os.environ["GATES_BASE_URL"]
    assert ask(URL + "/orders") == 200

def test_program():
    code = f"import urllib.request; urllib.request.urlopen({URL + '/orders/1'!r})"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert ask(URL + "/internal") == 200

def test_wrong():
    ask(URL + "/orders")
    assert os.environ.get("FINE")
""",
    })  # fmt: skip
    suite.backend.url = orders
    found = suite.run(command="URL={base_url} pytest", retries=0)
    # Which test the other program belongs to is not known, and one test failed.
    assert seen(found) == {
        "GET /orders": ({200: 2}, True), "GET /orders/{order_id}": ({200: 1}, False), "GET /internal": ({200: 1}, None),
    }  # fmt: skip
    suite.env["FINE"] = "yes"
    found = suite.run(command="URL={base_url} pytest", ignore=["/internal"])
    assert seen(found) == {"GET /orders": ({200: 2}, True), "GET /orders/{order_id}": ({200: 1}, True)}
    assert share(found) == (2, 4)
    assert Coverage(tool="coverage", command="URL={base_url} pytest").needs_backend
    assert not Coverage(tool="coverage").needs_backend


def test_a_backend_that_dies_under_the_tests_is_a_finding(suite: Suite, orders: str) -> None:
    suite.write({"test_shop.py": "def test_a(): pass\n"})
    suite.backend = Backend(document(*SHOP), url=orders, dead="during the tests")
    found = suite.run(command="URL={base_url} pytest")
    assert [one.rule for one in found.findings] == ["backend.died"]
    assert "the tests sent no request to {base_url}" in found.notes


def test_what_the_recorder_wrote_is_read_with_its_gaps() -> None:
    call = ["app:a", "GET", "/a?b=c", 200, False, 2]
    text = "\n".join([
        json.dumps({"test": "t1", "passed": True, "calls": [call, [1], ["a", "GET", "/a", 200, False, -1]]}),
        json.dumps({"test": "t2", "passed": None, "calls": [call]}), json.dumps({"test": "", "calls": [call]}),
        json.dumps({"trouble": "httpx 9 cannot be listened to"}), json.dumps({"left_out": 7}), "garbage", "[1]",
        '{"test": "t3", "calls": [["app', json.dumps({"trouble": "httpx 9 cannot be listened to"}),
    ])  # fmt: skip
    one = Call("GET", "/a", 200, 2, "app:a")
    record = parse_calls([text])
    assert record == CallRecord(
        (Sent("t1", True, (one,)), Sent("t2", None, (one,)), Sent("", None, (one,))),
        ("httpx 9 cannot be listened to",), 7, 5,
    )  # fmt: skip
    assert [call.passed for call in record.calls(["t2"], all_passed=True)] == [True, True, False]
    assert [call.passed for call in record.calls()] == [True, False, False]
    script = CallRecord((Sent("", None, (one,)),))
    assert [call.passed for call in script.calls(all_passed=True)] == [True]
