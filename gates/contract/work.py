"""A comparison while it goes on: both documents, what is still to be compared, and what was found."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gates.contract.allowed import Node, Shape
from gates.contract.changes import Direction, Sense
from gates.contract.digests import Digests
from gates.contract.facts import Facts, facts_at
from gates.contract.reading import Side, mapping
from gates.contract.recording import Recorder, Where
from gates.contract.shapes import Shapes
from gates.contract.uses import Uses
from gates.document import Document
from gates.results import Severity

if TYPE_CHECKING:
    from gates.contract.security import Gatekeeper

# What a difference means: in a request when less is allowed, in a response when more is, and when it is neither.
_MEANINGS = {
    "type": ("request-type-narrowed", "response-type-widened", "type-changed"),
    "null": ("request-null-refused", "response-became-nullable", ""),
    "values": ("request-enum-value-removed", "response-enum-value-added", ""),
    "enum": ("request-enum-added", "response-enum-removed", ""),
    "bound": ("request-constraint-tightened", "response-constraint-loosened", ""),
    "pattern": ("request-pattern-changed", "response-pattern-changed", ""),
    "format": ("request-format-added", "response-format-removed", "format-changed"),
    "closed": ("request-additional-properties-refused", "response-additional-properties-allowed", ""),
    "variant": ("request-variant-removed", "response-variant-added", ""),
    "name": ("discriminator-changed", "discriminator-changed", "discriminator-changed"),
    "condition": ("request-constraint-tightened", "response-constraint-loosened", "condition-changed"),
    "kind": ("condition-changed", "condition-changed", "condition-changed"),
    "required": ("property-became-required", "response-property-became-optional", ""),
}


def rule_for(topic: str, direction: Direction, sense: Sense) -> str:
    """Return the rule for a difference of a topic: what harms in a request is the opposite of that in a response."""
    in_request, in_response, neither = _MEANINGS[topic]
    if direction.written_by_client:
        name = "request-widened" if sense is Sense.WIDENED else in_request
    else:
        name = "response-narrowed" if sense is Sense.NARROWED else in_response
    return f"contract.{neither if sense is Sense.CHANGED and neither else name}"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two schemas that are compared, who writes what they describe, and their number among what is used."""

    earlier: Shape
    new: Shape
    direction: Direction
    number: int
    mind_null: bool = True

    @property
    def where(self) -> Where:
        """The place of both as a whole."""
        return Where(self.new.pointer, self.earlier.pointer)

    def origin(self, keyword: str) -> Where:
        """The place where both say something, or where one of them says it."""
        new, earlier = self.new.origins.get(keyword), self.earlier.origins.get(keyword)
        return Where(
            new or (self.new.near(earlier) if earlier else self.new.pointer),
            earlier or (self.earlier.near(new) if new else self.earlier.pointer),
        )


_LEADS_ON = frozenset(
    {
        "$ref", "allOf", "oneOf", "anyOf", "not", "if", "then", "else", "items", "prefixItems", "properties",
        "additionalProperties", "patternProperties", "unevaluatedProperties", "unevaluatedItems", "contains",
        "propertyNames", "dependentSchemas", "dependencies", "contentSchema", "$dynamicRef", "$recursiveRef",
        "discriminator",
    }
)  # fmt: skip


class Work:
    """Takes pairs of schemas to compare, each once for each direction, however often it is used."""

    def __init__(self, earlier: Document, new: Document, severities: Mapping[str, Severity | None]) -> None:
        self.earlier, self.new = Side("earlier", earlier), Side("new", new)
        self.shapes = (Shapes(self.earlier), Shapes(self.new))
        self.digests = tuple(Digests(shapes) for shapes in self.shapes)
        self.uses = Uses()
        self.recorder = Recorder(self.earlier, self.new, self.uses, severities)
        self.gatekeeper: Gatekeeper | None = None
        self.pending: deque[tuple[Node, Node, Direction, int, bool]] = deque()
        self._heirs: list[dict[str, tuple[str, ...]] | None] = [None, None]
        self._same_version = self.earlier.modern == self.new.modern

    def differ(self, pair: Pair, topic: str, sense: Sense, what: str, text: str, where: Where | None = None) -> None:
        """Remember that one of a pair allows more or less than the other."""
        self.recorder.add(
            rule_for(topic, pair.direction, sense), what, text, where or pair.where, pair.number, about=topic,
            direction=pair.direction,
        )  # fmt: skip

    def schema(
        self, earlier: tuple[str, ...], new: tuple[str, ...], at: Where, direction: Direction, user: int
    ) -> None:
        """Take what stands at some pointers of both documents to be compared; where nothing does, all is allowed.

        `at` is the place of what uses them.
        """
        if len(earlier) == len(new) == 1 and self._same_leaf(earlier[0], new[0]):
            return
        nodes = self.shapes[0].node(earlier, at.earlier), self.shapes[1].node(new, at.new)
        mind_null = nodes[0].null == "own" and nodes[1].null == "own"
        if not mind_null:
            used = Where(new[0] if new else at.new, earlier[0] if earlier else at.earlier)
            self.compare_null(nodes, used, direction, user)
        self.pair(*nodes, direction, user, mind_null=mind_null)

    def pair(self, earlier: Node, new: Node, direction: Direction, user: int, *, mind_null: bool = True) -> None:
        """Take two schemas to be compared, unless they were taken before."""
        number, fresh = self.uses.enter((earlier.parts, new.parts, direction, mind_null), user)
        if fresh:
            self.pending.append((earlier, new, direction, number, mind_null))

    def compare_null(self, nodes: tuple[Node, Node], where: Where, direction: Direction, user: int) -> None:
        """Compare whether null is allowed, where it is said beside a schema."""
        says = [_null_of(node, shapes.shape(node.parts)) for node, shapes in zip(nodes, self.shapes, strict=True)]
        earlier, new = says
        if earlier[0] is None or new[0] is None or earlier[0] == new[0]:
            return
        if not self._same_version and (earlier[1] or new[1]):
            return  # what 3.0 left open, 3.1 says: that is not a change
        sense = Sense.WIDENED if new[0] else Sense.NARROWED
        text = "it may be null now" if new[0] else "it may not be null any more"
        rule = rule_for("null", direction, sense)
        self.recorder.add(rule, "null", text, where, user, about="null", direction=direction)

    def _same_leaf(self, earlier: str, new: str) -> bool:
        """Return whether two schemas are equal to the letter and have nothing inside."""
        raw = self.earlier.value(earlier)
        return self.is_plain(raw) and bool(raw == self.new.value(new))

    def is_plain(self, raw: Any) -> bool:
        """Return whether a schema has nothing inside and means the same in both documents."""
        return isinstance(raw, dict) and self._same_version and _LEADS_ON.isdisjoint(raw)

    def extending(self, side: int, pointer: str) -> tuple[str, ...]:
        """Return the component schemas of a document that extend another one by `allOf`."""
        known = self._heirs[side]
        if known is None:
            known = self._heirs[side] = _heirs(self.shapes[side])
        return known.get(pointer, ())

    def facts(self, earlier: tuple[str, ...], new: tuple[str, ...]) -> tuple[Facts, Facts]:
        """Return what is said of a property as such in both documents."""
        return facts_at(self.earlier, earlier), facts_at(self.new, new)


def _null_of(node: Node, shape: Shape) -> tuple[bool | None, bool]:
    """Return whether null is allowed, None where nothing is said of it, and whether that is only meant."""
    if node.null in ("added", "loose"):
        return True, node.null == "loose"
    if node.null == "ignored" or not shape.says_null:
        return None, False
    return shape.null, shape.null_by_intent


def _heirs(shapes: Shapes) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    schemas = mapping(mapping(shapes.side.content.get("components")).get("schemas"))
    for name, raw in schemas.items():
        pointer = shapes.side.child("", "components", "schemas", name, value=raw)
        if isinstance(raw, Mapping) and "allOf" in raw:
            for part in shapes.members(pointer, "allOf"):
                parent = shapes.node((part,), part).pointer
                if parent != part:
                    found[parent] = (*found.get(parent, ()), pointer)
    return found
