"""`gates doctor` on a small backend: what is not as it should be is told with what to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from projects import HERE, SMALL_BACKEND

from gates.config.load import build_configuration
from gates.doctor import examine
from gates.tools.base import Requirement


def document(*paths: str) -> str:
    answers = {"get": {"responses": {"200": {"description": "It is there."}}}}
    content = {"openapi": "3.1.0", "info": {"title": "small", "version": "1"}, "paths": dict.fromkeys(paths, answers)}
    return json.dumps(content)


def operations(root: Path, backend: Mapping[str, object]) -> list[Requirement]:
    """Return what the doctor says of the operations of a document, for a backend that has /health and /things."""
    shutil.copy(HERE / "small_backend.py", root)
    settings = {"start": SMALL_BACKEND, "openapi": "openapi.json", "ready": "/health", **backend}
    configuration = build_configuration({"project": {"name": "small"}, "backend": settings}, root)
    said = list(examine(root, configuration))
    assert [one.met for one in said if one.what == "OpenAPI document"] == [True]
    return [one for one in said if one.what == "operations"]


def test_a_document_without_the_prefix_of_its_paths_is_told_with_the_prefix_that_is_likely(tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text(document("/", "/living", "/{id}"))
    (said,) = operations(tmp_path, {"ready": "/api/v1/living?now"})
    assert not said.met
    assert said.detail == "none that was asked for is there: GET /, GET /living answered 404"
    assert said.hint.endswith('[backend] base_path = "/api/v1"')


@pytest.mark.parametrize(
    ("paths", "backend"),
    [
        (("/health", "/not-yet"), {}),  # some are there
        (("/{id}",), {}),  # none can be asked for without knowing more
    ],
)
def test_nothing_is_said_where_the_document_may_well_be_right(
    tmp_path: Path, paths: tuple[str, ...], backend: Mapping[str, object]
) -> None:
    (tmp_path / "openapi.json").write_text(document(*paths))
    assert operations(tmp_path, backend) == []
