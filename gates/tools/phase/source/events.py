"""Which events a project publishes: names in calls such as `publish("order.placed")`, or in AsyncAPI; pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from gates.tools.phase.source.python import constants, last_name, literal, parsed

PLAIN_CALLS = (
    "publish", "emit", "dispatch_event", "publish_event", "emit_event", "send_event", "raise_event", "trigger_event",
)  # fmt: skip
"""Calls whose first text is the name of an event, whatever it looks like."""
CALLS = (
    *PLAIN_CALLS, "send", "dispatch", "produce", "notify", "basic_publish", "xadd", "send_message", "fire", "trigger",
)  # fmt: skip
"""Usual calls; of those that are not plain, only a name with dots, colons or dashes in it is an event's."""
_KEYWORDS = ("topic", "event", "event_name", "event_type", "name", "channel", "subject", "routing_key", "stream")
_PLAIN = re.compile(r"[A-Za-z][\w.:/-]{1,119}")
_STRUCTURED = re.compile(r"[A-Za-z]\w*(?:[.:-]\w+)+")
_OF_NODE = frozenset({
    "error", "close", "end", "data", "finish", "connect", "connection", "message", "open", "drain", "exit", "ready",
    "listening", "disconnect",
})  # fmt: skip
"""What streams, sockets and processes of Node emit themselves: no events of a project."""
_SUFFIXES = (".js", ".mjs", ".cjs", ".ts", ".mts", ".tsx", ".go", ".java", ".kt", ".rb", ".rs", ".php", ".cs", ".scala",
             ".ex", ".exs")  # fmt: skip


def publishes_events(name: str) -> bool:
    """Return whether files of this name are looked into."""
    return name.endswith((".py", *_SUFFIXES))


def events_of(name: str, text: str, calls: Collection[str]) -> Iterator[tuple[str, int]]:
    """Yield the names of events that a file publishes, with their lines; `calls` are the functions that do so."""
    if name.endswith(".py"):
        yield from _of_python(text, calls)
        return
    pattern = re.compile(
        rf"""\b({"|".join(sorted(map(re.escape, calls)))})\s*\(\s*(["'`])([^"'`\n]{{1,120}})\2""", re.I
    )
    for found in pattern.finditer(text):
        if _is_event(found[1], found[3]):
            yield found[3], text.count("\n", 0, found.start()) + 1


def _of_python(text: str, calls: Collection[str]) -> Iterator[tuple[str, int]]:
    if not any(call in text for call in calls):
        return
    tree = parsed(text)
    if tree is None:
        return
    known = constants(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (call := last_name(node.func)) in calls:
            given = [literal(one, known) for one in node.args[:2]]
            given += [literal(one.value, known) for one in node.keywords if one.arg in _KEYWORDS]
            name = next((one for one in given if one and _is_event(call, one)), None)
            if name is not None:
                yield name, node.lineno


def _is_event(call: str, name: str) -> bool:
    call = call.lower()
    if _PLAIN.fullmatch(name) is None or name.lower() in _OF_NODE or name.startswith(("http:", "https:", "ws:")):
        return False
    usual_but_vague = call in CALLS and call not in PLAIN_CALLS
    return not usual_but_vague or _STRUCTURED.fullmatch(name) is not None


def events_of_asyncapi(content: Any) -> Iterator[str]:
    """Yield the names of the messages, or failing them the addresses of the channels, of an AsyncAPI document."""
    if not isinstance(content, Mapping) or "asyncapi" not in content:
        return
    channels = content.get("channels")
    for key, channel in channels.items() if isinstance(channels, Mapping) else ():
        address = channel.get("address") if isinstance(channel, Mapping) else None
        yield address if isinstance(address, str) and address else str(key)
