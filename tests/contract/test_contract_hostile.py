"""Documents that were made to harm: each ends in a sentence or in a sane answer, and nothing outside is touched."""

from __future__ import annotations

import copy
import gzip
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from documents import REALISTIC, breaks, differences, nodes, realistic, schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gates.contract import compare_documents
from gates.contract.swagger import as_openapi3
from gates.document import DocumentError, parse_document
from gates.document.reading import MAX_BYTES

Json = Any
HEAD = '"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, '
YAML = "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {}\n"


def laughing(levels: int, of: int) -> str:
    lines = ["x0: &x0 [ha]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * of)}]" for n in range(1, levels)]
    return YAML + "\n".join(lines)


def merging(levels: int) -> str:
    lines = ["m0: &m0 {a: 1}"]
    lines += [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}], k{n}: *m{n - 1}}}" for n in range(1, levels)]
    return YAML + "\n".join(lines)


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "no UTF-8": (b'{"openapi": "3.0.3",\n "x": "\xff"}', r"not valid UTF-8: byte 28 \(line 2\)"),
    "half of UTF-16": ('{"openapi": "3.0.3"}'.encode("utf-16")[:-1], "not valid UTF-16"),
    "an archive": (gzip.compress(b"openapi: 3.0.3"), "not valid UTF-8"),
    "zeros": (b"\0" * 100, "neither JSON nor YAML|not valid"),
    "too large": (b" " * (MAX_BYTES + 1), "larger than 64 MiB"),
    "too large as text": ("ä" * (MAX_BYTES // 2 + 1), "larger than 64 MiB"),
    "brackets": ("{" + HEAD + '"paths": ' + "[" * 100_000, "not valid JSON"),
    "closed brackets": ("{" + HEAD + '"paths": ' + "[" * 100_000 + "]" * 100_000 + "}", "not valid JSON"),
    "deep JSON": ("{" + HEAD + '"paths": {}, "x": ' + '{"a":' * 300 + "1" + "}" * 301, "nested deeper than 256"),
    "many lists": ("{" + HEAD + '"x": [' + "[]," * 4_100_000 + "[]]}", "more than 4,000,000 objects"),
    "deep flow YAML": (YAML + "x: " + "[" * 100_000 + "]" * 100_000, "nested deeper than 256"),
    "deep mappings": (YAML + "x: " + "{a: " * 100_000, "nested deeper than 256"),
    "deep block YAML": (YAML + "x:\n  " + "- " * 100_000 + "a", "nested deeper than 256"),
    "deep indentation": (YAML + "\n".join(" " * n + "a:" for n in range(2000)), "nested deeper than 256"),
    "deep by aliases": (YAML + "x0: &x0 []\n" + "\n".join(f"x{n}: &x{n} [*x{n - 1}]" for n in range(1, 300)),
                        "nested deeper than 256"),
    "laughs": (laughing(20, 9), "aliases stand for more than 1,000,000"),
    "quadratic aliases": (YAML + f"a: &a [{'x, ' * 5000}]\nb: [{'*a, ' * 5000}]", "aliases stand for more than"),
    "merging laughs": (merging(20), "aliases stand for more than 1,000,000"),
    "contains itself": (YAML + "x: &a\n  b: [*a]\n", r"contains itself \(the YAML alias \*a in line 5\)"),
    "unknown alias": (YAML + "x: *a\n", "undefined alias|stands for nothing"),
    "merges a text": (YAML + "x: {<<: text}", "merges something that is no object"),
    "key twice in JSON": ('{"openapi": "3.0.3", "paths": {"/a": {}, "/b": {}, "/a": {}}}', "the key '/a' stands twice"),
    "key twice in YAML": ("openapi: 3.0.3\npaths:\n  /a: {}\n  /a: {}\n",
                          "the key '/a' stands twice in the same object, the second time in line 4"),
    "keys that are alike in YAML": (YAML + "x: {200: a, '200': b}", "the key '200' stands twice"),
    "NaN": ("{" + HEAD + '"paths": {}, "x": NaN}', "the number NaN"),
    "infinity": ("{" + HEAD + '"paths": {}, "x": -Infinity}', "the number -Infinity"),
    "YAML infinity": (YAML + "x: -.inf", "the number -.inf"),
    "YAML not a number": (YAML + "x: .NaN", "the number .NaN"),
    "overflow": ("{" + HEAD + '"paths": {}, "x": 1e999}', "the number 1e999, which is larger"),
    "digits": ("{" + HEAD + '"paths": {}, "x": ' + "9" * 5000 + "}", r"the number 999999999999… \(5,000 characters\)"),
    "YAML digits": (YAML + "x: " + "9" * 5000, r"5,000 characters"),
    "hexadecimal digits": (YAML + "x: 0x" + "f" * 5000, r"5,002 characters"),
    "half a character": ("{" + HEAD + '"paths": {}, "x": "\\ud800"}', "half of a character"),
    "half a character as text": ("openapi: 3.0.3\nx: \ud800", "half a character"),
    "a control character": (YAML + "x: \x07", "neither JSON nor YAML"),
    "a list as a key": (YAML + "? [a, b]\n: c", "a key that is no text in line 4"),
    "two documents": (YAML + "---\n" + YAML, "more than one YAML document"),
    "a tag that makes objects": (YAML + "x: !!python/object/apply:os.system ['touch x']", "tag !!python/object"),
    "a tag that JSON has not": (YAML + "x: !!set {a, b}", "the tag !!set in line 4"),
    "a tag that lies": (YAML + "x: !!int word", "the tag !!int"),
    "no version": (YAML.replace("3.0.3", "[]"), "names no OpenAPI version"),
    "a long version": (YAML.replace("3.0.3", "9" * 200_000 + "x"), "names no OpenAPI version"),
    "paths of nothing": ('{"openapi": "3.0.3", "paths": null}', "the `paths` of the document are no object"),
    "paths as a list": ('{"openapi": "3.0.3", "paths": []}', "the `paths` of the document are no object"),
    "no paths in 3.1": ('{"openapi": "3.1.0"}', "the document has no `paths`"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_ends_in_one_short_sentence(name: str) -> None:
    source, says = REFUSED[name]
    with pytest.raises(DocumentError, match=says) as caught:
        parse_document(source)
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 400


READ: dict[str, tuple[str | bytes, Json]] = {
    "statuses": (YAML + "x: {200: a, 2XX: b, default: c}", {"200": "a", "2XX": "b", "default": "c"}),
    "words of YAML 1.1 as keys": (YAML + "x: {yes: 1, on: 2, no: 3, y: 4, null: 5, true: 6, 1.0: 7, ~: 8}",
                                  {"yes": 1, "on": 2, "no": 3, "y": 4, "null": 5, "true": 6, "1.0": 7, "~": 8}),
    "words of YAML 1.1 as values": (YAML + "x: [yes, on, no, off, y, 12:30:45, 1_000, 2026-01-01, 010]",
                                    ["yes", "on", "no", "off", "y", "12:30:45", "1_000", "2026-01-01", 10]),
    "values of YAML 1.2": (YAML + "x: [true, False, null, ~, 0x1F, 0o17, 1e3, .5, -3, +4, '5', !!str 6, ! 7]",
                           [True, False, None, None, 31, 15, 1000.0, 0.5, -3, 4, "5", "6", "7"]),
    "explicit tags": (YAML + "x: [!!int '5', !!float 5, !!bool 'true', !!null '', !!map {a: 1}, !!seq [1]]",
                      [5, 5, True, None, {"a": 1}, [1]]),
    "merge keys": (YAML + "a: &a {p: 1, q: 2}\nb: &b {q: 3, r: 4}\nx: {<<: [*a, *b], p: 5, '<<': 6}",
                   {"p": 5, "q": 2, "r": 4, "<<": 6}),
    "aliases": (YAML + "a: &a {p: &p 1}\nk: &k key\nx: {a: *a, b: *a, *k : *p}",
                {"a": {"p": 1}, "b": {"p": 1}, "key": 1}),
    "256 levels": (YAML + "x: " + "[" * 255 + "]" * 255, None),
    "256 levels of JSON": ("{" + HEAD + '"paths": {}, "x": ' + "[" * 255 + "]" * 255 + "}", None),
    "many digits": (YAML + "x: " + "9" * 250, int("9" * 250)),
    "a smile": ("{" + HEAD + '"paths": {}, "x": "\\ud83d\\ude00"}', "\N{GRINNING FACE}"),
    "a mark of order": (("\ufeff" + YAML + "x: ä").encode(), "ä"),
    "a mark of order in a text": ("\ufeff{" + HEAD + '"paths": {}, "x": "ä"}', "ä"),
    "UTF-16": ((YAML + "x: ä").encode("utf-16"), "ä"),
    "UTF-16 from the big end without a mark": (("{" + HEAD + '"paths": {}, "x": "ä"}').encode("utf-16-be"), "ä"),
    "UTF-32": ((YAML + "x: ä").encode("utf-32"), "ä"),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_what_is_unusual_is_read_as_openapi_says(name: str) -> None:
    source, expected = READ[name]
    content = parse_document(source).content
    assert "x" in content
    assert expected is None or content["x"] == expected
    assert expected is None or type(content["x"]) is type(expected)
    json.dumps(content).encode()


def test_a_version_without_quotes_is_what_is_meant() -> None:
    assert parse_document("swagger: 2.0\npaths: {}\n").version == "2.0"
    assert parse_document("openapi: 3.1\nwebhooks: {}\n").version == "3.1"


def around(schemas: Json, root: str = "A0", **more: Json) -> Json:
    """Return a document that sends and answers one of these schemas."""
    media = {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{root}"}}}}
    post = {"requestBody": media, "responses": {"200": {"description": "Done.", **media}}}
    return {
        "openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"post": post}},
        "components": {"schemas": schemas, **more},
    }  # fmt: skip


def to(number: int) -> Json:
    return {"$ref": f"#/components/schemas/A{number}"}


END = {"type": "object", "properties": {"end": {"type": "string"}}}
SHAPES: dict[str, Json] = {
    "a reference to itself": {"A0": to(0)},
    "references in a circle": {"A0": to(1), "A1": to(2), "A2": to(0)},
    "allOf of itself": {"A0": {"allOf": [to(0), {"type": "object"}]}},
    "alternatives of themselves": {"A0": {"oneOf": [to(0), to(1)]}, "A1": {"anyOf": [to(0), to(1)]}},
    "not itself": {"A0": {"not": to(0)}},
    "items and properties of themselves": {"A0": {"type": "array", "items": to(1)},
                                           "A1": {"properties": {"a": to(0)}, "additionalProperties": to(1)}},
    "a chain of references": {f"A{n}": to(n + 1) for n in range(2000)} | {"A2000": END},
    "a chain of properties": {f"A{n}": {"properties": {"a": to(n + 1)}} for n in range(2000)} | {"A2000": END},
    "a chain of allOf": {f"A{n}": {"allOf": [to(n + 1)]} for n in range(2000)} | {"A2000": END},
    "a chain of items": {f"A{n}": {"type": "array", "items": to(n + 1)} for n in range(2000)} | {"A2000": END},
    "two ways at every step": {f"A{n}": {"properties": {"a": to(n + 1), "b": to(n + 1)}} for n in range(60)}
                              | {"A60": END},
    "allOf in two ways at every step": {f"A{n}": {"allOf": [to(n + 1), to(n + 1)]} for n in range(60)} | {"A60": END},
    "alternatives in two ways": {f"A{n}": {"oneOf": [to(n + 1), {"anyOf": [to(n + 1)]}]} for n in range(60)}
                                | {"A60": END},
    "many properties": {"A0": {"properties": {f"p{n}": {"type": "string"} for n in range(5_000)}}},
    "many alternatives": {"A0": {"oneOf": [{"type": "string", "maxLength": n} for n in range(2000)]}},
    "many parts": {"A0": {"allOf": [{"properties": {f"p{n}": {"minimum": n}}} for n in range(2000)]}},
    "a large enum": {"A0": {"enum": [f"v{n}" for n in range(50_000)]}},
    "outside": {"A0": {"properties": {"a": {"$ref": "https://127.0.0.1:9/a.json"}, "b": {"$ref": "other.yaml#/B"},
                                      "c": {"$ref": "file:///etc/passwd"}, "d": {"$ref": "#"}, "e": {"$ref": "#anchor"},
                                      "f": {"$ref": "#/components/schemas/²"}, "g": {"$ref": ""}}}},
    "everywhere a number": {"A0": {"type": 5, "properties": [], "required": "a", "enum": {}, "items": 7, "allOf": {},
                                   "minimum": "1", "maxLength": None, "pattern": ["("], "discriminator": 3}},
    "patterns that never end": {"A0": {"type": "string", "pattern": "(a+)+$(("}},
}  # fmt: skip


def pruned(schemas: Json) -> Json:
    """Return the same schemas with the last thing said about the end, or about the first one, taken away."""
    other = copy.deepcopy(schemas)
    for name in reversed(other):
        node = other[name]
        if isinstance(node.get("properties"), dict) and node["properties"]:
            node["properties"].popitem()
            return other
    other["A0"] = {"type": "integer"}
    return other


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_that_have_no_end_or_too_many_ways_are_compared(name: str) -> None:
    old = around(SHAPES[name])
    assert differences(old, copy.deepcopy(old)) == ()
    differences(old, around(pruned(SHAPES[name])))
    differences(around(pruned(SHAPES[name])), old)


@pytest.mark.parametrize(
    "name",
    ["a chain of properties", "a chain of allOf", "a chain of items", "two ways at every step",
     "allOf in two ways at every step", "many properties", "many parts"],
)  # fmt: skip
def test_a_break_at_the_end_of_them_is_found(name: str) -> None:
    assert breaks(around(SHAPES[name]), around(pruned(SHAPES[name])))


CIRCLES: dict[str, Json] = {
    "paths": {"/a": {"$ref": "#/paths/~1b"}, "/b": {"$ref": "#/paths/~1a"}, "/c": {"$ref": "#/paths/~1c"}},
    "parameters": {"/a": {"parameters": [{"$ref": "#/components/parameters/P"}], "get": {"responses": {}}}},
    "answers": {"/a": {"get": {"responses": {"200": {"$ref": "#/components/responses/R"}}}}},
    "bodies": {"/a": {"post": {"requestBody": {"$ref": "#/components/requestBodies/B"}, "responses": {}}}},
    "headers": {"/a": {"get": {"responses": {"200": {"headers": {"H": {"$ref": "#/components/headers/H"}}}}}}},
    "callbacks": {"/a": {"post": {"responses": {}, "callbacks": {"c": {"{$url}": {"$ref": "#/paths/~1a"}}}}}},
}


@pytest.mark.parametrize("name", CIRCLES)
def test_circles_outside_of_schemas_are_compared(name: str) -> None:
    content = around({"A0": END})
    content["components"] |= {
        "parameters": {"P": {"$ref": "#/components/parameters/P"}},
        "responses": {"R": {"$ref": "#/components/responses/S"}, "S": {"$ref": "#/components/responses/R"}},
        "requestBodies": {"B": {"$ref": "#/components/requestBodies/B"}},
        "headers": {"H": {"$ref": "#/components/headers/H"}},
    }
    plain = copy.deepcopy(content)
    content["paths"] |= CIRCLES[name]
    assert differences(content, copy.deepcopy(content)) == ()
    differences(content, plain)
    differences(plain, content)


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5), st.just([]), st.just({}), st.just([None]), st.just({"$ref": 5}), st.just({"": None}),
    st.just({"$ref": "#/components/schemas/Category"}), st.just({"$ref": "https://a.example/b"}), st.just([[]]),
    st.just([{"name": [], "in": {}}]), st.just({"$ref": "#/paths/~1v1~1orders"}),
)  # fmt: skip


@settings(max_examples=80, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
@given(st.data())
def test_junk_anywhere_is_compared_with_the_document_that_it_was(data: st.DataObject) -> None:
    content = realistic()
    for _ in range(data.draw(st.integers(1, 3))):
        places = [(node, key) for node in nodes(content) for key in node if key not in ("openapi", "paths")]
        node, key = data.draw(st.sampled_from(places))
        node[key] = copy.deepcopy(data.draw(JUNK))  # else it could be put into itself
    document = parse_document(json.dumps(content))
    assert compare_documents(document, document).changes == ()
    old = parse_document(REALISTIC.read_bytes())
    for pair in ((old, document), (document, old)):
        for change in compare_documents(*pair).changes:
            assert change.message


def test_junk_in_swagger_is_converted_and_compared() -> None:
    original = parse_document((Path(__file__).parent / "swagger" / "petstore-2.yaml").read_bytes())
    places = sum(len(node) for node in nodes(dict(original.content)))
    for number in range(places):
        kinds: list[Json] = [None, 5, "text", [], {}, [None], {"$ref": "#/definitions/Pet"}, {"$ref": 1}]
        for junk in (kinds[number % 8], kinds[(number + 3) % 8]):
            content = copy.deepcopy(dict(original.content))
            spots = [(node, key) for node in nodes(content) for key in node]
            node, key = spots[number]
            if key in ("swagger", "paths"):
                continue
            node[key] = copy.deepcopy(junk)
            made = as_openapi3(parse_document(json.dumps(content)))
            assert compare_documents(made, made).changes == ()


@pytest.fixture
def touched() -> Iterator[list[str]]:
    """Collect what is opened, connected to or looked up while a test runs."""
    seen: list[str] = []
    listening = True

    def listen(event: str, arguments: tuple[object, ...]) -> None:
        if listening and event in (
            "open",
            "socket.connect",
            "socket.getaddrinfo",
            "urllib.Request",
            "subprocess.Popen",
        ):
            seen.append(f"{event} {arguments[0]!r} {arguments[1]!r}")

    sys.addaudithook(listen)
    yield seen
    listening = False


def test_nothing_outside_is_opened_or_asked(touched: list[str]) -> None:
    outside = ["https://127.0.0.1:9/a.json", "other.yaml#/B", "file:///etc/passwd", "/etc/passwd", "//127.0.0.1:9/b"]
    for old_reference in outside:
        content = realistic()
        place = {"$ref": old_reference}
        schema(content, "Order")["properties"]["total"] = place
        content["paths"]["/v1/reports/sales"] = place
        content["paths"]["/v1/orders"]["get"]["parameters"][0] = place
        content["paths"]["/v1/orders"]["get"]["responses"]["401"] = place
        content["components"]["schemas"]["Payment"]["discriminator"]["mapping"]["card"] = old_reference
        content["components"]["examples"] = {"E": {"externalValue": old_reference}}
        differences(realistic(), content)
        differences(content, realistic())
        assert differences(content, copy.deepcopy(content)) == ()
    assert [
        one for one in touched if "passwd" in one or "other.yaml" in one or "socket" in one or "urllib" in one
    ] == []


# --- The same through the command


def gates(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gates", "contract", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    "name", ["no UTF-8", "an archive", "brackets", "deep flow YAML", "laughs", "key twice in YAML", "NaN", "digits",
             "contains itself", "paths of nothing"],
)  # fmt: skip
def test_the_command_says_in_a_sentence_what_it_cannot_read(name: str, tmp_path: Path) -> None:
    source, _ = REFUSED[name]
    (tmp_path / "bad.yaml").write_bytes(source if isinstance(source, bytes) else source.encode())
    (tmp_path / "good.yaml").write_bytes(REALISTIC.read_bytes())
    for arguments in (("bad.yaml", "good.yaml"), ("good.yaml", "bad.yaml")):
        answered = gates(*arguments, folder=tmp_path)
        assert answered.returncode in (2, 3), answered.stdout + answered.stderr
        said = answered.stdout + answered.stderr
        assert "Traceback" not in said
        assert "bad.yaml" in said
        assert len(said) < 1000


def test_the_command_neither_asks_nor_opens_what_a_document_refers_to(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/schema.json"
        (tmp_path / "secret.yaml").write_text("Secret: {type: object, properties: {CANARY: {type: string}}}")
        content = around({"A0": {"properties": {"a": {"$ref": address}, "b": {"$ref": "secret.yaml#/Secret"}}}})
        (tmp_path / "old.json").write_text(json.dumps(content))
        content["components"]["schemas"]["A0"]["properties"]["a"] = {"$ref": f"file://{tmp_path}/secret.yaml#/Secret"}
        (tmp_path / "new.json").write_text(json.dumps(content))
        answered = gates("old.json", "new.json", folder=tmp_path)
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert answered.returncode == 4, "what was not read is not compared, and never silently green"
    assert "CANARY" not in answered.stdout + answered.stderr


@pytest.mark.slow
def test_the_command_compares_a_hundred_thousand_paths(tmp_path: Path) -> None:
    content = around({"A0": END})
    for number in range(100_000):
        content["paths"][f"/things/{number}/{{id}}"] = {"get": {"responses": {"200": {"description": "One."}}}}
    (tmp_path / "old.json").write_text(json.dumps(content))
    del content["paths"]["/things/77777/{id}"]
    (tmp_path / "new.json").write_text(json.dumps(content))
    answered = gates("old.json", "new.json", folder=tmp_path)
    assert answered.returncode == 1, answered.stderr
    assert "GET /things/77777/{id}" in answered.stdout
