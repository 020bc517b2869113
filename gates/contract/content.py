"""Media types and what is sent in them."""

from __future__ import annotations

from collections.abc import Mapping, Set

from gates.contract.changes import Direction
from gates.contract.reading import Side, canonical, mapping
from gates.contract.recording import Where
from gates.contract.work import Work


def media_types(side: Side, pointer: str) -> dict[str, str]:
    """Return the media types of a body, in one form each, with the pointers of what is said of them."""
    return {_plain(name): at for name, at in side.children(pointer, "content")}


def _plain(name: str) -> str:
    """Return a media type without case and charset: they do not make it another one."""
    kind, *parameters = (part.strip().lower() for part in name.split(";"))
    kept = sorted(part for part in parameters if part and not part.startswith("charset="))
    return "; ".join((kind, *kept))


def _holds(wide: str, narrow: str) -> bool:
    """Return whether a range of media types holds another one."""
    return wide == "*/*" or (wide.endswith("/*") and narrow.startswith(wide[:-1]))


def compare_content(work: Work, around: Where, direction: Direction, user: int, *, replaced: str = "") -> None:
    """Compare the media types of two bodies, and the schemas in them.

    `replaced` is the rule for a media type that is gone, where there is only one at a time.
    """
    was, now = media_types(work.earlier, around.earlier), media_types(work.new, around.new)
    if not was and not now:
        return
    rule = "contract.request-media-type" if direction.written_by_client else "contract.response-media-type"
    for name, at in was.items():
        into = [now[name]] if name in now else [other for wide, other in now.items() if _holds(wide, name)]
        if not into:
            into = [other for narrow, other in now.items() if _holds(name, narrow) and narrow not in was]
            if not into or direction.written_by_client:
                where = Where(around.new, at, told_by_earlier=True)
                work.recorder.add(replaced or f"{rule}-removed", f"gone {name}", f"`{name}` is gone", where, user)
            elif into:
                where = Where(around.new, at, told_by_earlier=True)
                text = f"of `{name}` only {_listed(now, was)} is left"
                work.recorder.add("contract.response-narrowed", f"gone {name}", text, where, user)
        for other in into:
            _compare_media(work, Where(other, at), direction, user)
    for name, at in now.items():
        if name not in was and not replaced and not any(_holds(wide, name) for wide in was):
            where = Where(at, around.earlier)
            work.recorder.add(f"{rule}-added", f"new {name}", f"`{name}` is new", where, user)


def _listed(now: Mapping[str, str], was: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}`" for name in now if name not in was)


def _compare_media(work: Work, where: Where, direction: Direction, user: int) -> None:
    one, other = work.earlier.object_at(where.earlier), work.new.object_at(where.new)
    schemas = [
        (side.child(pointer, "schema", value=raw["schema"]),) if "schema" in raw else ()
        for side, pointer, raw in ((work.earlier, where.earlier, one), (work.new, where.new, other))
    ]
    work.schema(schemas[0], schemas[1], where, direction, user)
    where_of = (where.earlier, where.new)
    if direction.written_by_client and ("encoding" in one or "encoding" in other):
        nodes = [shapes.node(pointers, at) for shapes, pointers, at in zip(work.shapes, schemas, where_of, strict=True)]
        was, now = (shapes.shape(node.parts).properties for shapes, node in zip(work.shapes, nodes, strict=True))
        gone_or_new = was.keys() ^ now.keys()  # told as such
        if _encoding(one.get("encoding"), gone_or_new) != _encoding(other.get("encoding"), gone_or_new):
            rule = "contract.request-encoding-changed"
            work.recorder.add(rule, "encoding", "its `encoding` is another", where, user)


def _encoding(value: object, without: Set[str]) -> str:
    """Return how the parts of a form are written, without what would be so anyway."""
    parts = {}
    for name, raw in mapping(value).items():
        if name in without:
            continue
        encoding = mapping(raw)
        style = encoding.get("style", "form")
        plain = {"style": "form", "explode": style == "form", "allowReserved": False, "contentType": None}
        parts[name] = {key: encoding[key] for key in plain if encoding.get(key, plain[key]) != plain[key]}
    return canonical({name: part for name, part in parts.items() if part})
