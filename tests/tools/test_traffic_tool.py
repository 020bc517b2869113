"""The tool `traffic`: files of a project with a history, from access log and HAR to operations."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from recorded_suites import SHOP, Backend, document, seen

from gates.errors import NotMeasured, ToolError
from gates.results import Readings
from gates.tools.base import Context
from gates.tools.traffic import Traffic
from gates.tools.traffic import reading as reading_module

Run = Callable[..., Readings]
COMMITTED = 1_790_000_000


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    env = {**os.environ, "GIT_COMMITTER_DATE": f"{COMMITTED} +0000", "GIT_AUTHOR_DATE": f"{COMMITTED} +0000"}
    (root / ".gitignore").write_text("logs\n*.har\n")
    for words in (["init", "-q", "--template="], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *who, *words], cwd=root, env=env, check=True)
    (root / "logs").mkdir()
    return root


@pytest.fixture
def run(project: Path, tmp_path: Path) -> Run:
    def run(backend: Backend | None = None, **settings: Any) -> Readings:
        settings.setdefault("access_logs", ["logs/*.log"])
        context = Context(
            root=project, source=(), python="python", env=dict(os.environ), directory=tmp_path, gate="traffic",
            serve=(backend or Backend(document(*SHOP))).serve, classify=lambda name, definition: "simple",
        )  # fmt: skip
        return Traffic(tool="traffic", **settings).run(context)

    return run


def line(method: str, path: str, status: int, at: float | None = None) -> str:
    when = datetime.fromtimestamp(at or time.time(), UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'127.0.0.1 - - [{when}] "{method} {path} HTTP/1.1" {status} 12 "-" "a browser"\n'


def test_access_logs_become_operations_and_findings(project: Path, run: Run) -> None:
    (project / "logs" / "a.log").write_text(
        line("GET", "/api/orders?token=secret", 200) + line("POST", "/api/orders", 422) * 2 + "started\n"
        + line("GET", "/api/internal/17", 200) + line("GET", "/api/internal/18", 200) + line("GET", "/favicon.ico", 200)
    )  # fmt: skip
    (project / "logs" / "b.log").write_text(
        json.dumps({"request": {"method": "GET", "uri": "/api/orders/1"}, "status": 200}) + "\n"
    )
    found = run(prefix="/api/")
    assert seen(found) == {
        "GET /orders": ({200: 1}, True), "POST /orders": ({422: 2}, False), "GET /orders/{order_id}": ({200: 1}, True),
        "GET /internal/{id}": ({200: 2}, None),
    }  # fmt: skip
    assert {one.source for one in found.operations} == {"traffic"}
    assert [(one.rule, one.operation) for one in found.findings] == [
        ("traffic.undocumented-route", "GET /internal/{id}")
    ]  # fmt: skip
    assert {one.name: (one.value, one.count) for one in found.measurements} == {
        "traffic.requests": (7, None), "traffic.operations": (0.5, 2),
    }  # fmt: skip
    assert found.notes[0] == "7 requests, 1 line without a request"
    assert "secret" not in repr(found)
    assert run(prefix="/api", ignore=["/internal/*"]).findings == ()


def test_a_har_file_of_other_hosts_names_them(project: Path, run: Run) -> None:
    entry = {"request": {"method": "GET", "url": "https://shop.example.org/orders"}, "response": {"status": 200}}
    (project / "e2e.har").write_text(json.dumps({"log": {"entries": [entry, entry]}}))
    with pytest.raises(NotMeasured, match=r"2 requests to other hosts \(shop.example.org\)") as told:
        run(access_logs=[], har=["*.har"])
    assert 'hosts = ["shop.example.org"]' in told.value.hint
    found = run(access_logs=[], har=["*.har"], hosts=["shop.example.org"])
    assert seen(found) == {"GET /orders": ({200: 2}, True)}


def test_what_is_older_than_the_commit_does_not_count(project: Path, run: Run) -> None:
    old, new = project / "logs" / "old.log", project / "logs" / "new.log"
    old.write_text(line("DELETE", "/orders/1", 204))
    os.utime(old, (COMMITTED - 10, COMMITTED - 10))
    with pytest.raises(NotMeasured, match="1 file is older than the commit") as told:
        run()
    assert "allow_old = true" in told.value.hint
    new.write_text(line("GET", "/orders", 200) + line("POST", "/orders", 201, COMMITTED - 5) * 3)
    found = run()
    assert seen(found) == {"GET /orders": ({200: 1}, True)}
    assert "1 request, 3 that are older than the commit, and not counted" in found.notes
    assert "older than the commit, and therefore not read: logs/old.log" in found.notes
    assert set(seen(run(allow_old=True))) == {"GET /orders", "POST /orders", "DELETE /orders/{order_id}"}
    new.write_text(line("POST", "/orders", 201, COMMITTED - 5))
    with pytest.raises(NotMeasured, match="no request could be read: 0 requests, 1 that is older"):
        run()


def test_uncommitted_changes_are_told(project: Path, run: Run) -> None:
    (project / "logs" / "a.log").write_text(line("GET", "/orders", 200))
    (project / ".gitignore").write_text("logs\n")
    assert any("uncommitted changes" in note for note in run().notes)


@pytest.mark.parametrize(
    ("text", "settings", "message", "hint"),
    [
        ("", {}, "no request could be read: 0 requests", "format"),
        ("order 17 was placed\n" * 3, {}, "3 lines without a request", "fields"),
        ("order 17 was placed\n", {"format": "json"}, "1 line that cannot be read", "fields"),
        (line("GET", "/shop/orders", 200), {}, "of 1 requests none is .* GET /shop/orders", "prefix"),
        ("", {"access_logs": ["nowhere/*.log"]}, "there is no file nowhere", "path"),
    ],
)  # fmt: skip
def test_nothing_to_be_seen_is_not_measured_and_says_why(
    project: Path, run: Run, text: str, settings: dict[str, Any], message: str, hint: str
) -> None:
    (project / "logs" / "a.log").write_text(text)
    with pytest.raises(NotMeasured, match=message) as told:
        run(**settings)
    assert hint in told.value.hint


@pytest.mark.parametrize("text", ["{", "[]", "\x00\xff", '{"log": {}}'])
def test_a_file_that_is_no_har_is_an_error(project: Path, run: Run, text: str) -> None:
    (project / "a.har").write_text(text)
    with pytest.raises(ToolError, match=r"a\.har is no HAR file"):
        run(access_logs=[], har=["a.har"])


def test_missing_files_beside_others_are_gaps_and_links_lead_nowhere(project: Path, run: Run, tmp_path: Path) -> None:
    (project / "logs" / "a.log").write_text(line("GET", "/orders", 200))
    (tmp_path / "secret.log").write_text(line("POST", "/orders", 201))
    (project / "logs" / "link.log").symlink_to(tmp_path / "secret.log")
    found = run(har=["none.har"])
    assert seen(found) == {"GET /orders": ({200: 1}, True)}
    assert [gap.what for gap in found.gaps] == ["the traffic of none.har"]


def test_a_log_without_an_end_is_read_in_part(project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "MOST_LINES", 10)
    (project / "logs" / "a.log").write_text("x" * 300_000 + "\n" + line("GET", "/orders", 200) * 30)
    found = run()
    assert seen(found)["GET /orders"][0][200] < 10
    assert "only the first 10 lines" in found.gaps[0].reason


def test_a_backend_without_a_document_is_an_error(project: Path, run: Run) -> None:
    (project / "logs" / "a.log").write_text(line("GET", "/orders", 200))
    with pytest.raises(ToolError, match="answered 404"):
        run(Backend(None))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "it reads nothing"), ({"access_logs": ["/var/log/a.log"]}, "inside the project"),
        ({"access_logs": ["../a.log"]}, "inside the project"), ({"har": [""]}, "inside the project"),
        ({"har": ["a"], "prefix": "api"}, "begin with a slash"),
        ({"har": ["a"], "fields": {"verb": "m"}}, "none of method"),
        ({"har": ["a"], "fields": {"method": ""}}, "empty"), ({"har": ["a"], "format": "xml"}, "format"),
        ({"har": "a"}, "har"), ({"har": ["a"], "allow_old": "perhaps"}, "allow_old"),
    ],
)  # fmt: skip
def test_wrong_settings_say_what_is_wrong(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Traffic(tool="traffic", **settings)
