"""The notes of this process; they are gone when it is."""

import itertools
import threading
from datetime import UTC, datetime
from typing import Any

FIRST = [
    ("Bread", "Flour, water, salt, time.", ["kitchen"]),
    ("Bicycle", "The rear tyre loses air.", ["repair", "street"]),
    ("Letters", "Answer Mary before Sunday.", []),
]


class Store:
    """Notes by their number."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._notes: dict[int, dict[str, Any]] = {}
        for title, text, tags in FIRST * 10:
            self.add({"title": title, "text": text, "tags": tags})

    def page(self, after: int, limit: int, tag: str | None) -> tuple[list[dict[str, Any]], int | None]:
        """Return the notes whose numbers come after one, and the number to go on from, None at the end."""
        with self._lock:
            rest = [
                note for note in self._notes.values() if note["id"] > after and (tag is None or tag in note["tags"])
            ]
        return rest[:limit], rest[limit - 1]["id"] if len(rest) > limit else None

    def get(self, note_id: int) -> dict[str, Any] | None:
        """Return a note, or None when there is no such note."""
        return self._notes.get(note_id)

    def add(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Keep a new note and return it."""
        with self._lock:
            note = {
                "id": next(self._numbers),
                "text": "",
                "tags": [],
                **fields,
                "kept_at": datetime.now(UTC).isoformat(),
            }
            self._notes[note["id"]] = note
        return note

    def change(self, note_id: int, fields: dict[str, Any]) -> dict[str, Any] | None:
        """Change some fields of a note and return it, or None when there is no such note."""
        with self._lock:
            if note_id not in self._notes:
                return None
            self._notes[note_id] = {**self._notes[note_id], **fields}
            return self._notes[note_id]

    def remove(self, note_id: int) -> bool:
        """Remove a note and return whether there was one."""
        with self._lock:
            return self._notes.pop(note_id, None) is not None

    def tags(self) -> dict[str, int]:
        """Return how many notes carry each tag."""
        counts: dict[str, int] = {}
        with self._lock:
            for note in self._notes.values():
                for tag in note["tags"]:
                    counts[tag] = counts.get(tag, 0) + 1
        return counts
