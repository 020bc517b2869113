"""The code that stands in a guideline is code of its language."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gates.guidelines.examples import FRAMEWORKS, default_answers, example_of, not_used
from gates.guidelines.variables import VARIABLES

CODE = [name for name, variable in VARIABLES.items() if variable.kind == "code"]
FLAVOURS = ("", "plain", "orm", "mongodb")


def texts(framework: str) -> list[str]:
    return [example_of(framework, name) for name in CODE] + [
        example_of(framework, "DATABASE_EXAMPLE", flavour) for flavour in FLAVOURS
    ]


@pytest.mark.parametrize("framework", [name for name, one in FRAMEWORKS.items() if one.language == "python"])
def test_the_python_is_python(framework: str) -> None:
    for text in texts(framework):
        ast.parse(text)
        assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("framework", [name for name, one in FRAMEWORKS.items() if one.language == "javascript"])
def test_the_javascript_is_javascript(framework: str, tmp_path: Path) -> None:
    node = Path(sys.executable).with_name("node")
    for number, text in enumerate(texts(framework)):
        # What a response is may be a value, and no statement.
        whole = f"export default ({text});" if text.startswith("{") else text
        path = tmp_path / f"{framework}-{number}.mjs"
        path.write_text(whole)
        done = subprocess.run([str(node), "--check", str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{text}\n{done.stderr}"


@pytest.mark.parametrize("framework", ["go", "spring-boot"])
def test_the_brackets_of_the_others_are_closed(framework: str) -> None:
    for text in texts(framework):
        bare = re.sub(r'"[^"\n]*"', "", text)
        for opening, closing in ("()", "{}", "[]"):
            assert bare.count(opening) == bare.count(closing), text


def test_the_generic_answers_are_json() -> None:
    for name in ("SUCCESS_RESPONSE_EXAMPLE", "ERROR_RESPONSE_EXAMPLE"):
        assert json.loads(example_of("generic", name).partition(" ")[2])
    assert json.loads(example_of("generic", "LOGGING_EXAMPLE"))["level"] == "info"


def test_what_is_not_used_is_a_comment_of_the_language() -> None:
    assert not_used("fastapi", "no WebSocket") == "# not used: no WebSocket"
    assert not_used("go", "no WebSocket") == "// not used: no WebSocket"


def test_a_profile_of_ones_own_is_like_any_backend() -> None:
    assert default_answers("ours") == default_answers("generic")
    assert example_of("go", "DATABASE_EXAMPLE", "plain") == example_of("go", "DATABASE_EXAMPLE")
