"""Variants of `oneOf` and `anyOf`, discriminators, and schemas that others extend."""

from __future__ import annotations

from typing import Any

from small_documents import answering, both, changes, compared, edited, rules

from gates.results import Severity

TEXT = {"type": "string"}


def pet(own: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"kind": TEXT, own: TEXT, **more}}


def refs(*names: str) -> list[dict[str, str]]:
    return [{"$ref": f"#/components/schemas/{name}"} for name in names]


PETS = {"Cat": pet("purr"), "Dog": pet("bark"), "Cow": pet("moo")}


def test_a_removed_variant_harms_requests_and_an_added_one_harms_responses() -> None:
    two, three = {"oneOf": refs("Cat", "Dog")}, {"oneOf": refs("Cow", "Dog", "Cat")}
    assert both(three, two, **PETS) == ({"request-variant-removed"}, {"response-narrowed"})
    assert both(two, three, **PETS) == ({"request-widened"}, {"response-variant-added"})
    found = changes(answering(two, **PETS), answering(three, **PETS))["response-variant-added"]
    assert found.severity is Severity.MEDIUM
    assert found.message.endswith("|Cow: this variant is new")
    assert found.pointer.endswith("/schema/oneOf/0")


def test_variants_are_compared_with_themselves() -> None:
    old = {"oneOf": refs("Cat", "Dog")}
    changed = {**PETS, "Dog": pet("bark", age={"type": "integer"})}
    assert rules(answering(old, **PETS), answering({"oneOf": refs("Dog", "Cat")}, **changed)) == {
        "response-property-added"
    }


def test_variants_without_names_are_found_by_structure_title_and_likeness() -> None:
    inline = [pet("purr"), pet("bark"), {**pet("moo"), "title": "Cow"}]
    assert both({"oneOf": inline}, {"oneOf": inline[::-1]}) == (set(), set())
    by_likeness = [pet("bark", age=TEXT), inline[2], inline[0]]
    assert rules(answering({"oneOf": inline}), answering({"oneOf": by_likeness})) == {"response-property-added"}
    by_title = [inline[1], {"title": "Cow", "type": "object", "properties": {"milk": TEXT}}, inline[0]]
    found = compared(answering({"oneOf": inline}), answering({"oneOf": by_title})).changes
    assert [change.message.rpartition(": ")[2] for change in found] == [
        "the property `kind` is gone",
        "the property `moo` is gone",
        "there is the new property `milk`",
    ]


def test_variants_that_are_renamed_components_are_the_same() -> None:
    renamed = {"Kitty": PETS["Cat"], "Dog": PETS["Dog"]}
    old, new = answering({"oneOf": refs("Cat", "Dog")}, **PETS), answering({"oneOf": refs("Dog", "Kitty")}, **renamed)
    assert rules(old, new) == set()


def test_a_schema_that_became_one_of_several() -> None:
    one, several = refs("Cat")[0], {"oneOf": refs("Cat", "Dog")}
    assert both(one, several, **PETS) == ({"request-widened"}, {"response-variant-added"})
    assert both(several, one, **PETS) == ({"request-variant-removed"}, {"response-narrowed"})
    types = {"type": ["string", "object"]}
    assert both(TEXT, {"anyOf": [TEXT, *refs("Cat")]}, **PETS) == ({"request-widened"}, {"response-variant-added"})
    assert both({**types, **PETS["Cat"], "type": ["string", "object"]}, {"anyOf": [TEXT, *refs("Cat")]}, **PETS) == (
        set(),
        set(),
    )
    assert both({}, several, **PETS) == ({"request-type-narrowed"}, {"response-narrowed"})


def test_one_of_and_any_of_are_the_same_where_no_value_is_two() -> None:
    apart = [{"type": "string", "enum": ["a"]}, refs("Cat")[0]]
    assert both({"oneOf": apart}, {"anyOf": apart}, **PETS) == (set(), set())
    alike = refs("Cat", "Dog")
    assert both({"anyOf": alike}, {"oneOf": alike}, **PETS) == ({"condition-changed"}, {"response-narrowed"})


def test_a_group_of_variants_beside_properties_is_a_bound() -> None:
    base = {"type": "object", "properties": {"a": TEXT, "b": TEXT}}
    bound = {**base, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    assert both(base, bound) == ({"request-constraint-tightened"}, {"response-narrowed"})
    assert both(bound, base) == ({"request-widened"}, {"response-constraint-loosened"})


def discriminated(mapping: dict[str, str] | None = None, by: str = "kind") -> dict[str, Any]:
    told: dict[str, Any] = {"propertyName": by}
    if mapping is not None:
        told["mapping"] = {name: f"#/components/schemas/{target}" for name, target in mapping.items()}
    return {"oneOf": refs("Cat", "Dog"), "discriminator": told}


def test_another_discriminator_breaks() -> None:
    found = rules(answering(discriminated(), **PETS), answering(discriminated(by="sort"), **PETS))
    assert found == {"discriminator-changed"}


def test_a_variant_that_is_told_by_another_value_breaks() -> None:
    old, new = discriminated({"c": "Cat", "d": "Dog"}), discriminated({"k": "Cat", "d": "Dog"})
    assert both(old, new, **PETS) == ({"discriminator-changed"}, {"discriminator-changed"})
    more = discriminated({"c": "Cat", "k": "Cat", "d": "Dog"})
    assert both(old, more, **PETS) == ({"request-widened"}, {"discriminator-changed"})


def test_a_renamed_component_is_told_by_its_name_unless_the_mapping_says_otherwise() -> None:
    renamed = {"Kitty": PETS["Cat"], "Dog": PETS["Dog"]}
    old = answering(discriminated({"c": "Cat", "d": "Dog"}), **PETS)
    new = answering({**discriminated({"c": "Kitty", "d": "Dog"}), "oneOf": refs("Kitty", "Dog")}, **renamed)
    assert rules(old, new) == set()
    by_name = answering({"oneOf": refs("Kitty", "Dog"), "discriminator": {"propertyName": "kind"}}, **renamed)
    assert rules(answering(discriminated(), **PETS), by_name) == {"discriminator-changed"}


def test_a_value_that_the_variant_says_itself_is_no_matter_of_names() -> None:
    said = {"Cat": pet("purr", kind={"const": "cat"}), "Dog": pet("bark", kind={"const": "dog"})}
    renamed = {"Kitty": said["Cat"], "Dog": said["Dog"]}
    by_name = {"oneOf": refs("Kitty", "Dog"), "discriminator": {"propertyName": "kind"}}
    assert rules(answering(discriminated(), **said), answering(by_name, **renamed)) == set()


def test_schemas_that_extend_another_one_are_its_variants() -> None:
    base = {"type": "object", "properties": {"kind": TEXT}, "discriminator": {"propertyName": "kind"}}
    cat = {
        "allOf": [*refs("Pet"), {"type": "object", "properties": {"lives": {"type": "integer"}}, "required": ["lives"]}]
    }
    old = answering(refs("Pet")[0], Pet=base, Cat=cat)
    new = edited(old, "components", "schemas", "Cat", "allOf", 1, "required")
    found = changes(old, new)["response-property-became-optional"]
    assert found.pointer == "/components/schemas/Cat/allOf/1/properties/lives"
    assert found.operations == ("GET /things",)
    more = answering(refs("Pet")[0], Pet=base, Cat=cat, Dog=cat)
    assert rules(old, more) == {"response-variant-added"}
