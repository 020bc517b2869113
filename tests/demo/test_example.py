"""The example really is what the demo says of it: each state is tried with the plain tools, without the harness."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from gates.demo import repository
from gates.process import capture, run

STATES = ("phase1", "phase2", "repaired")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The example's three states, each in a folder of its own."""
    folders = {}
    for state in STATES:
        folders[state] = tmp_path_factory.mktemp("example") / "orders"
        repository.build(folders[state])
    repository.commit_second_phase(folders["phase2"])
    repository.commit_second_phase(folders["repaired"])
    repository.commit_repair(folders["repaired"])
    return folders


def python(folder: Path, *arguments: str, normal: tuple[int, ...] = (0,)) -> str:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    output = folder.parent / "output.txt"
    run([sys.executable, *arguments], cwd=folder, env=environment, stdout=output, stderr=folder.parent / "errors.txt",
        timeout=120, normal=normal)  # fmt: skip
    return output.read_text("utf-8")


def coverage_of(folder: Path) -> float:
    data = f"--data-file={folder.parent / 'coverage'}"
    tests = python(
        folder, "-m", "coverage", "run", data, "--source=orders", "-m", "pytest", "-q", "-p", "no:cacheprovider"
    )
    assert " passed" in tests
    assert "failed" not in tests
    python(folder, "-m", "coverage", "json", data, "-o", str(folder.parent / "coverage.json"))
    totals = json.loads((folder.parent / "coverage.json").read_text("utf-8"))["totals"]
    return float(totals["covered_lines"] / totals["num_statements"])


def test_tests_pass_in_all_states_and_only_the_second_phase_loses_coverage(states: dict[str, Path]) -> None:
    first, second, repaired = (coverage_of(states[state]) for state in STATES)
    assert first >= 0.9
    assert second < first
    assert repaired >= first


@pytest.mark.parametrize(("state", "rules"), [("phase1", []), ("phase2", ["B608", "B608"]), ("repaired", [])])
def test_only_the_second_phase_builds_sql_from_what_it_is_told(
    states: dict[str, Path], state: str, rules: list[str]
) -> None:
    found = json.loads(python(states[state], "-m", "bandit", "-q", "-r", "-f", "json", "orders", normal=(0, 1)))
    assert [(result["test_id"], result["filename"]) for result in found["results"]] == [
        (rule, "orders/search.py") for rule in rules
    ]
    assert not found["errors"]


LIST_ORDERS = """
import json, pathlib, sys
from orders import sample, store
from orders.database import Database

database = Database(pathlib.Path(sys.argv[1]))
database.migrate()
sample.fill(database, 50)
statements = []
database.connection.set_trace_callback(statements.append)
orders, total = store.list_orders(database.connection, 20, 0)
store.get_order(database.connection, 1)
database.connection.set_trace_callback(None)
explained = [database.connection.execute("EXPLAIN QUERY PLAN " + statement).fetchall() for statement in statements]
plans = [step["detail"] for steps in explained for step in steps]
numbers = [order["id"] for order in orders]
print(json.dumps({"orders": numbers, "total": total, "statements": len(statements), "plans": plans}))
"""


def list_orders(folder: Path) -> dict[str, Any]:
    database = str(folder.parent / "listed.db")
    answer: dict[str, Any] = json.loads(python(folder, "-c", LIST_ORDERS, database))
    assert answer["orders"] == list(range(50, 30, -1))
    assert answer["total"] == 50
    return answer


def reads_all_lines(answer: dict[str, Any]) -> bool:
    # The optimiser may begin with either table; what matters is whether the lines are looked up or read through.
    return any(re.match(r"SCAN (TABLE )?(l|order_lines)\b", plan) for plan in answer["plans"])


@pytest.mark.parametrize("state", ["phase1", "repaired"])
def test_a_page_costs_few_queries_and_reads_no_table_of_lines_whole(states: dict[str, Path], state: str) -> None:
    answer = list_orders(states[state])
    assert answer["statements"] <= 4
    assert not reads_all_lines(answer)


def test_the_second_phase_asks_once_an_order_and_reads_all_lines_each_time(states: dict[str, Path]) -> None:
    answer = list_orders(states["phase2"])
    assert answer["statements"] >= 20
    assert reads_all_lines(answer)


SEARCH = """
import pathlib, sys
from orders.app import create_app
from orders.database import Database

database = Database(pathlib.Path(sys.argv[1]))
database.migrate()
client = create_app(database).test_client()
for q in ("nobody", "O'Neill", "a\\0b"):
    print(client.get("/api/v1/orders/search", query_string={"q": q}).status_code, file=sys.stderr)
"""


@pytest.mark.parametrize(("state", "answers"), [("phase2", "500 500 500"), ("repaired", "200 200 200")])
def test_the_second_phase_crashes_on_what_is_not_found_and_on_quotes(
    states: dict[str, Path], state: str, answers: str, tmp_path: Path
) -> None:
    code, _, errors = capture([sys.executable, "-c", SEARCH, str(tmp_path / "orders.db")], cwd=states[state])
    assert code == 0
    assert errors.split() == answers.split()


def test_a_database_of_the_first_phase_becomes_one_of_the_repaired(states: dict[str, Path], tmp_path: Path) -> None:
    script = """
import sys, pathlib
from orders import sample, store
from orders.database import Database

database = Database(pathlib.Path(sys.argv[1]))
database.migrate()
sample.fill(database, 3)
print(store.get_order(database.connection, 2))
"""
    path = str(tmp_path / "orders.db")
    assert python(states["phase1"], "-c", script, path) == python(states["repaired"], "-c", script, path)
