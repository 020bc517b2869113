"""Every breaking change of the realistic document is found where it is, and no harmless one is called breaking."""

from __future__ import annotations

import pytest
from documents import BREAKS, breaks, changed, concerned, differences, operation, realistic, schema
from mutations import MUTATIONS, Mutation

from gates.contract import RULES
from gates.document import document_of

BREAKING = [mutation for mutation in MUTATIONS if mutation.breaking]
HARMLESS = [mutation for mutation in MUTATIONS if not mutation.breaking]


def name(mutation: Mutation) -> str:
    return mutation.name


def test_the_list_is_long_and_balanced_and_every_change_changes_something() -> None:
    assert len(BREAKING) >= 45
    assert len(HARMLESS) >= 45
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)
    before = realistic()
    order = ("keys_in_another_order",)  # this one is equal as an object, and that is its point
    for mutation in MUTATIONS:
        assert mutation.name in order or changed(mutation.apply) != before, mutation.name
        assert document_of(changed(mutation.apply)).operations
    known = {operation.name for operation in document_of(before).operations}
    assert all(set(mutation.operations) <= known for mutation in MUTATIONS)


@pytest.mark.parametrize("mutation", BREAKING, ids=name)
def test_what_breaks_a_client_is_found_at_its_operation(mutation: Mutation) -> None:
    found = breaks(realistic(), changed(mutation.apply))
    assert found, f"not found, although {mutation.why}"
    named = set().union(*(concerned(change) for change in found))
    missed = [operation for operation in mutation.operations if operation not in named]
    assert not missed, f"found at {sorted(named)}"


@pytest.mark.parametrize("mutation", HARMLESS, ids=name)
def test_what_harms_nobody_is_not_called_breaking(mutation: Mutation) -> None:
    found = breaks(realistic(), changed(mutation.apply))
    assert not found, f"although {mutation.why}: {[(change.rule, change.message) for change in found]}"


SILENT = (
    "schema_renamed", "schema_of_an_alternative_renamed", "recursive_schema_renamed", "parameter_component_renamed",
    "response_component_renamed", "security_scheme_renamed", "parameters_in_another_order", "keys_in_another_order",
    "required_in_another_order", "enum_in_another_order", "all_of_in_another_order", "one_of_in_another_order",
    "examples_changed", "extension_added", "reference_to_a_schema_inlined", "reference_to_a_parameter_inlined",
    "reference_to_a_body_inlined", "inline_schema_made_a_component", "recursive_schema_unrolled_once",
    "reference_wrapped_in_all_of", "parameter_of_the_path_moved_into_its_operations",
    "security_of_all_operations_spelled_out", "defaults_spelled_out", "discriminator_maps_to_names",
    "rewritten_as_openapi_3_1", "unused_component_added", "component_inlined_and_removed",
)  # fmt: skip


@pytest.mark.parametrize("mutation", [one for one in HARMLESS if one.name in SILENT], ids=name)
def test_what_says_the_same_in_another_way_is_no_difference_at_all(mutation: Mutation) -> None:
    found = differences(realistic(), changed(mutation.apply))
    assert [(change.rule, change.message) for change in found] == []


def test_all_of_those_are_in_the_list() -> None:
    assert set(SILENT) <= {mutation.name for mutation in HARMLESS}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=name)
def test_every_difference_names_its_rule_and_its_places(mutation: Mutation) -> None:
    old, new = realistic(), changed(mutation.apply)
    for change in differences(old, new):
        rule = RULES[change.rule]
        assert rule.id == change.rule
        assert change.rule.startswith("contract.")
        assert change.message
        assert change.pointer or change.earlier_pointer
        for pointer, content in ((change.pointer, new), (change.earlier_pointer, old)):
            assert not pointer or exists(pointer, content), f"{change.rule}: {pointer} points to nothing"


def exists(pointer: str, content: object) -> bool:
    node: object = content
    for part in pointer.lstrip("#").split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        else:
            return False
    return True


@pytest.mark.parametrize(
    "breaking",
    [
        "maximum_of_a_shared_parameter_lowered", "property_of_an_answer_removed", "property_of_all_failures_removed",
        "enum_value_added_to_an_answer", "shared_property_became_required", "request_property_became_not_nullable",
        "items_deep_in_a_recursive_schema_retyped", "header_of_an_answer_retyped", "property_became_write_only",
        "property_of_a_part_of_all_of_became_optional", "required_header_added_to_the_path",
        "security_scheme_changed", "header_of_a_key_renamed", "path_removed", "callback_removed",
    ],
)  # fmt: skip
def test_one_change_is_one_finding_however_many_operations_use_it(breaking: str) -> None:
    mutation = next(one for one in BREAKING if one.name == breaking)
    (found,) = breaks(realistic(), changed(mutation.apply))
    assert set(mutation.operations) <= concerned(found)


def test_a_component_that_two_hundred_operations_use_is_one_finding_with_all_of_them() -> None:
    old = realistic()
    template = operation(old, "GET /v1/orders/{order_id}")
    for number in range(200):
        old["paths"][f"/v1/copies/{number}"] = {"get": {**template, "operationId": f"copy{number}"}}
    new = {**old, "components": {**old["components"], "schemas": {**old["components"]["schemas"]}}}
    order = schema(old, "Order")
    new["components"]["schemas"]["Order"] = {
        **order, "properties": {**order["properties"], "rating": {"type": "string"}},
    }  # fmt: skip
    (found,) = breaks(old, new)
    assert len(concerned(found)) == 204


def test_two_changes_of_one_component_are_two_findings() -> None:
    def both(content: object) -> None:
        for mutation in BREAKING:
            if mutation.name in ("property_of_an_answer_removed", "integer_of_an_answer_became_number"):
                mutation.apply(content)

    found = breaks(realistic(), changed(both))
    assert len(found) == 2
    assert len({change.fingerprint for change in found}) == 2


def test_a_break_asks_for_a_major_version_and_nothing_else_does() -> None:
    removed, added = (next(one for one in MUTATIONS if one.name == name) for name in ("path_removed", "path_added"))
    asked = [change for change in differences(realistic(), changed(removed.apply)) if change.severity in BREAKS]
    (version,) = (change for change in asked if change.pointer == "/info/version")
    assert len(asked) == 2
    assert "1.4.0" in version.message
    assert not [one for one in differences(realistic(), changed(added.apply)) if one.severity in BREAKS]


def test_severities_are_those_of_findings() -> None:
    for mutation in BREAKING:
        for change in breaks(realistic(), changed(mutation.apply)):
            finding = change.as_finding()
            assert finding.severity in BREAKS
            assert finding.fingerprint == change.fingerprint
            assert (finding.pointer, finding.earlier_pointer) == (change.pointer, change.earlier_pointer)
