from __future__ import annotations

from pathlib import Path

import pytest

from gates.errors import ToolError
from gates.tools.coverage.formats import parse_report
from gates.tools.coverage.lines import (
    FileLines,
    is_own,
    is_test_file,
    is_within,
    measure_changed,
    measure_lines,
    source_files,
)

RECORDED = Path(__file__).parent.parent / "output" / "coverage"
SHOP = {"shop/__init__.py", "shop/cart.py", "shop/inner/worker.py", "shop/inner/__init__.py", "shop/ns/never.py"}


def recorded(name: str) -> dict[str, FileLines]:
    content = (RECORDED / name).read_bytes()
    return {file.path: file for file in parse_report(content, name, "/srv/shop", SHOP.__contains__)}


@pytest.mark.parametrize("version", ["5.5", "6.5", "7.17"])
def test_the_json_of_every_coverage(version: str) -> None:
    files = recorded(f"coverage-{version}.json")
    cart = files["shop/cart.py"]
    assert cart.missing == {11}
    assert cart.branches == (5, 6)
    assert cart.excluded == 2
    never = files["shop/ns/never.py"]
    assert (never.executed, never.missing) == (frozenset(), {1, 2})


def test_three_formats_of_one_run_tell_the_same() -> None:
    told = [recorded(name) for name in ("coverage-7.17.json", "coverage-7.17.lcov", "coverage-7.17-cobertura.xml")]
    for path in ("shop/cart.py", "shop/inner/worker.py", "shop/ns/never.py"):
        assert len({(each[path].executed, each[path].missing, each[path].branches or (0, 0)) for each in told}) == 1, (
            path
        )


def test_node() -> None:
    cart = recorded("node-24.lcov")["src/cart.js"]
    assert (cart.missing, cart.total, cart.branches) == ({7, 8}, 14, (3, 5))


def test_jest_in_two_formats() -> None:
    for name in ("jest.lcov", "jest-cobertura.xml"):
        files = recorded(name)
        assert (files["src/cart.js"].missing, files["src/cart.js"].total) == ({7}, 7)
        assert files["src/cart.js"].branches == (2, 4)
        assert files["src/server.js"].executed == frozenset()


def test_pieces_of_one_file_are_put_together() -> None:
    piece = "SF:/srv/shop/a.js\nDA:1,{}\nDA:2,{}\nBRDA:1,0,0,{}\nend_of_record\n"
    (file,) = parse_report((piece.format(1, 0, "-") + piece.format(0, 3, 1)).encode(), root="/srv/shop")
    assert (file.path, file.executed, file.branches) == ("a.js", {1, 2}, (1, 1))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is empty"),
        (b"SF:a.js\nDA:1,1\n", "cut short"),
        (b"SF:a.js\nDA:one,1\nend_of_record", "line 2 is 'DA:one,1'"),
        (b'{"meta": {}}', "files"),
        (b'{"files": {"a.py": {', "as JSON"),
        (b'{"files": {"a.py": {"summary": {}}}}', "executed_lines"),
        (b"<coverage><packages>", "as XML"),
        (b"<report name='jacoco'/>", "<report>"),
        (b"Name  Stmts  Miss", "begins with 'Name"),
    ],
)
def test_a_report_that_cannot_be_read_is_an_error_and_says_where(content: bytes, told: str) -> None:
    with pytest.raises(ToolError) as error:
        parse_report(content, "coverage.xml")
    assert told in error.value.message
    assert error.value.message.startswith("coverage.xml is not a coverage report")
    assert "LCOV" in error.value.hint


FILES = (
    FileLines("shop/a.py", frozenset({1, 2, 3}), frozenset({4}), (1, 2)),
    FileLines("shop/b.py", frozenset(), frozenset({1, 2}), (0, 2)),
    FileLines("shop/__init__.py", frozenset(), frozenset(), (0, 0)),
)


def test_counts_over_all_and_per_file_with_lines_apart_from_branches() -> None:
    told = {(each.name, each.scope): (each.count, each.total) for each in measure_lines(FILES)}
    assert told == {
        ("coverage.lines", ""): (3, 6),
        ("coverage.branches", ""): (1, 4),
        ("coverage.lines", "shop/a.py"): (3, 4),
        ("coverage.lines", "shop/b.py"): (0, 2),
    }


def test_changed_lines_are_those_that_can_be_executed() -> None:
    changed = {"shop/a.py": {3, 4, 5, 900}, "shop/b.py": {1}, "README.md": {1}}
    measured = measure_changed(FILES, changed)
    assert (measured.count, measured.total) == (1, 3)
    nothing = measure_changed(FILES, {"README.md": {1}, "shop/a.py": {77}})
    assert (nothing.count, nothing.total) == (0, 0)


def test_what_is_source_and_whose(tmp_path: Path) -> None:
    for name in ("shop/a.py", "shop/.venv/b.py", "shop/env/pyvenv.cfg", "shop/env/c.py", "shop/vendor/d.py", "top.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1\n")
    assert list(source_files(tmp_path, ["shop", "top.py"], [".py"])) == ["shop/a.py", "shop/vendor/d.py", "top.py"]
    assert is_own(tmp_path, "shop/vendor/d.py", ["shop"])
    assert not is_own(tmp_path, "shop/env/c.py", ["."])
    assert is_own(tmp_path, "shop/env/c.py", ["shop/env"])
    assert not is_own(tmp_path, "shop/.venv/b.py", ["shop"])
    assert is_within("shop/a.py", ["./shop/"])
    assert not is_within("shopping/a.py", ["shop"])
    assert not is_within("../shop/a.py", ["."])


def test_what_is_a_test_file_by_custom() -> None:
    tests = ["test/a.js", "src/a.test.ts", "src/a.spec.js", "cart_test.go", "test_a.py", "jest.config.js", "a.d.ts"]
    assert all(is_test_file(path) for path in tests)
    assert not any(is_test_file(path) for path in ("src/contest.js", "src/latest/index.js", "src/protest.py"))
