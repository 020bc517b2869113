"""`gates explain` on targets, and what doctor says of a mix."""

from __future__ import annotations

import pytest

from gates.document import parse_document
from gates.errors import GatesError
from gates.explain import MEASURED, explain
from gates.targets import TARGETS
from gates.tools.locust import Locust

DOCUMENT = parse_document(
    '{"openapi": "3.0.0", "paths": {"/items": {"get": {"responses": {}}, "post": {"responses": {}}}}}'
)


@pytest.mark.parametrize("name", [name for name in TARGETS if not name.endswith(".")])
def test_every_target_is_explained_with_what_to_do(name: str) -> None:
    told = explain(name, {}, None)
    assert told.startswith(f"{name}: a target")
    assert TARGETS[name].advice in told


def test_what_is_explained_in_words_is_a_target() -> None:
    assert MEASURED.keys() <= TARGETS.keys()


def test_a_target_that_is_none_has_the_nearest_name() -> None:
    with pytest.raises(GatesError) as raised:
        explain("load.kne", {}, None)
    assert "load.knee" in raised.value.hint


def test_doctor_says_which_names_of_a_mix_fit_no_operation() -> None:
    found = Locust(mix={"GET /items": 2, "PUT /items": 3}).requirements_of(DOCUMENT)
    assert [(one.what, one.met) for one in found] == [("mix 'GET /items'", True), ("mix 'PUT /items'", False)]
    assert "GET /items" in found[1].hint
