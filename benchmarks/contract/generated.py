"""Documents of any size that resemble those of Stripe and GitHub, and a twin of each with known changes.

Every resource has five operations, three schemas with descriptions, enums, nullable and nested parts, and an example.
Its properties refer to other resources anywhere in the document ("expandable": an id or the whole thing), so that
nearly all schemas reach each other, as they do at Stripe; errors, paging and money are shared by all. All is drawn
from a seed.
"""

import copy
import random
from collections.abc import Iterator
from typing import Any

Json = Any
WORDS = (
    "account", "address", "amount", "balance", "batch", "charge", "client", "code", "country", "coupon", "credit",
    "currency", "customer", "date", "delivery", "detail", "dispute", "event", "fee", "file", "invoice", "item", "limit",
    "line", "merchant", "method", "note", "order", "owner", "page", "payment", "plan", "price", "product", "quota",
    "rate", "reason", "receipt", "record", "refund", "region", "report", "review", "role", "rule", "schedule", "score",
    "session", "source", "state", "subscription", "tax", "team", "term", "title", "token", "total", "transfer", "unit",
    "user", "vendor", "version", "webhook",
)  # fmt: skip
PROSE = (
    "The identifier of the thing that this belongs to. Absent when it was made before the migration, or when the "
    "caller may not see it; see the guide on expanding answers for how to ask for the whole thing in one request."
)
KINDS: tuple[Json, ...] = (
    {"type": "string", "maxLength": 5000},
    {"type": "string", "format": "date-time"},
    {"type": "integer"},
    {"type": "integer", "format": "unix-time", "minimum": 0},
    {"type": "boolean"},
    {"type": "number", "minimum": 0, "maximum": 1_000_000},
    {"type": "array", "items": {"type": "string", "maxLength": 80}, "maxItems": 100},
    {"type": "object", "additionalProperties": {"type": "string", "maxLength": 500}},
)


class Maker:
    """Makes the resources of one document; `count` is how many there are to refer to."""

    def __init__(self, count: int, seed: int) -> None:
        self.count = count
        self.random = random.Random(seed)

    def name(self, number: int) -> str:
        return f"{WORDS[number % len(WORDS)]}_{WORDS[number // len(WORDS) % len(WORDS)]}_{number}"

    def reference(self) -> Json:
        return {"$ref": f"#/components/schemas/{self.name(self.random.randrange(self.count))}"}

    def property(self, depth: int = 0) -> Json:
        draw = self.random.random()
        described = {"description": PROSE[: self.random.randrange(30, len(PROSE))]}
        if draw < 0.15:
            return {**described, "nullable": True, "anyOf": [{"type": "string", "maxLength": 5000}, self.reference()]}
        if draw < 0.22:
            return {**described, "type": "array", "items": self.reference()}
        if draw < 0.27:
            return {**described, "allOf": [self.reference()]}
        if draw < 0.40:
            return {**described, "type": "string", "enum": self.random.sample(WORDS, self.random.randrange(2, 12))}
        if draw < 0.50 and depth < 3:
            return {**described, **self.object(self.random.randrange(2, 8), depth + 1)}
        if draw < 0.55:
            return {**described, "allOf": [{"$ref": "#/components/schemas/money"}]}
        kind = {**described, **self.random.choice(KINDS)}
        return {**kind, "nullable": True} if self.random.random() < 0.3 else kind

    def object(self, size: int, depth: int = 0) -> Json:
        names = self.random.sample(WORDS, size)
        required = sorted(self.random.sample(names, size // 3))
        made = {"type": "object", "properties": {name: self.property(depth) for name in names}}
        return {**made, "required": required} if required else made

    def resource(self, number: int) -> tuple[dict[str, Json], dict[str, Json]]:
        """Return the paths and the schemas of one resource."""
        name = self.name(number)
        whole = self.object(self.random.randrange(10, 26))
        whole["properties"]["id"] = {"type": "string", "maxLength": 5000, "description": "Unique."}
        whole["required"] = sorted({"id", *whole.get("required", ())})
        schemas = {
            name: {**whole, "title": name, "description": PROSE},
            f"{name}_list": {
                "type": "object",
                "required": ["data", "has_more"],
                "properties": {
                    "data": {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}},
                    "has_more": {"type": "boolean"},
                },
            },
            f"{name}_change": self.object(self.random.randrange(6, 16)),
        }
        return dict(self.paths(name)), schemas

    def paths(self, name: str) -> Iterator[tuple[str, Json]]:
        one = {"$ref": f"#/components/schemas/{name}"}
        identifier = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 5000}}
        paging = [{"$ref": f"#/components/parameters/{which}"} for which in ("limit", "after")]
        yield (
            f"/v1/{name}",
            {
                "get": self.operation(f"list_{name}", {"$ref": f"#/components/schemas/{name}_list"}, paging),
                "post": self.operation(f"create_{name}", one, [], self.object(self.random.randrange(8, 20))),
            },
        )
        change = {"$ref": f"#/components/schemas/{name}_change"}
        yield (
            f"/v1/{name}/{{id}}",
            {
                "parameters": [identifier],
                "get": self.operation(f"get_{name}", one, [{"$ref": "#/components/parameters/expand"}]),
                "patch": self.operation(f"change_{name}", one, [], change),
                "delete": self.operation(f"delete_{name}", None, []),
            },
        )

    def operation(self, identifier: str, answer: Json, parameters: list[Json], body: Json = None) -> Json:
        example = {word: self.random.choice(WORDS) for word in self.random.sample(WORDS, 20)}
        media = {"application/json": {"schema": answer, "example": example}}
        responses = {
            ("204" if answer is None else "200"): {"description": "Done.", **({"content": media} if answer else {})},
            "404": {"$ref": "#/components/responses/failure"},
            "default": {"$ref": "#/components/responses/failure"},
        }
        made = {"operationId": identifier, "summary": PROSE[:60], "description": PROSE, "responses": responses}
        if parameters:
            made["parameters"] = parameters
        if body is not None:
            form = {"application/x-www-form-urlencoded": {"schema": body}, "application/json": {"schema": body}}
            made["requestBody"] = {"required": True, "content": form}
        return made


def document(resources: int, seed: int = 4) -> Json:
    """Return a document with that many resources."""
    maker = Maker(resources, seed)
    paths: dict[str, Json] = {}
    schemas: dict[str, Json] = {
        "money": {"type": "object", "required": ["value"], "properties": {"value": {"type": "integer"}}},
        "error": {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}},
    }
    for number in range(resources):
        more_paths, more_schemas = maker.resource(number)
        paths |= more_paths
        schemas |= more_schemas
    text = {"type": "string", "maxLength": 5000}
    return {
        "openapi": "3.0.3",
        "info": {"title": "generated", "version": "1.0.0"},
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "parameters": {
                "limit": {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}},
                "after": {"name": "after", "in": "query", "schema": text},
                "expand": {"name": "expand", "in": "query", "schema": {"type": "array", "items": text}},
            },
            "responses": {
                "failure": {
                    "description": "It failed.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}},
                }
            },
            "schemas": schemas,
        },
    }


def twin(original: Json, share: float, seed: int = 5) -> tuple[Json, int]:
    """Return the document after changes of a share of its schemas, each of which breaks somebody, and how many."""
    changed, drawn = copy.deepcopy(original), random.Random(seed)
    schemas = changed["components"]["schemas"]
    whole = [name for name in schemas if f"{name}_list" in schemas]
    chosen = drawn.sample(whole, max(1, round(share * len(whole))))
    for number, name in enumerate(chosen):
        if number % 3 == 0:
            schemas[name]["properties"]["id"]["nullable"] = True
        elif number % 3 == 1:
            schemas[name]["properties"]["id"] = {"type": "integer"}
        else:
            schemas[name]["required"].remove("id")
    return changed, len(chosen)
