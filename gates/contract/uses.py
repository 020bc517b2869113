"""Which operations a compared pair of parts is used by: a graph of uses, asked only about the pairs that changed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable


class Uses:
    """Pairs of parts, numbered, each with the pairs that use it; operations are the roots.

    Parts that refer to each other in a circle are used by the same operations, so that circles are asked only once.
    """

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._users: list[list[int]] = []
        self._roots: dict[int, str] = {}
        self._known: dict[int, tuple[str, ...]] = {}
        self._circle: list[int] = []
        self._members: list[list[int]] = []

    def root(self, name: str) -> int:
        """Return the number of an operation."""
        number, _ = self.enter(("operation", name), None)
        self._roots[number] = name
        return number

    def enter(self, pair: Hashable, user: int | None) -> tuple[int, bool]:
        """Return the number of a pair that somebody uses, and whether it was not there before."""
        number = self._numbers.get(pair)
        fresh = number is None
        if number is None:
            number = self._numbers[pair] = len(self._users)
            self._users.append([])
        if user is not None and user != number:
            users = self._users[number]
            if not users or users[-1] != user:
                users.append(user)
        return number, fresh

    def operations(self, numbers: Iterable[int]) -> tuple[str, ...]:
        """Return the names of all operations that use one of some pairs, directly or not, in the order they came."""
        if len(self._circle) != len(self._users):
            self._find_circles()
        found = sorted({self._circle[number] for number in numbers})
        for circle in found:
            if circle not in self._known:
                self._known[circle] = self._above(circle)
        if len(found) == 1:
            return self._known[found[0]]
        return tuple(dict.fromkeys(name for circle in found for name in self._known[circle]))

    def _find_circles(self) -> None:
        self._circle, self._known = _circles(self._users), {}
        self._members = [[] for _ in self._users]
        for number, circle in enumerate(self._circle):
            self._members[circle].append(number)

    def _above(self, circle: int) -> tuple[str, ...]:
        seen, pending, roots = {circle}, [circle], []
        while pending:
            for number in self._members[pending.pop()]:
                if number in self._roots:
                    roots.append(number)
                for user in self._users[number]:
                    above = self._circle[user]
                    if above not in seen:
                        seen.add(above)
                        pending.append(above)
        return tuple(dict.fromkeys(self._roots[number] for number in sorted(roots)))


def _circles(users: list[list[int]]) -> list[int]:
    """Return for each number the one that stands for its circle (Tarjan's algorithm, without recursion)."""
    count = 0
    index = [-1] * len(users)
    low = [0] * len(users)
    open_ones: list[int] = []
    is_open = bytearray(len(users))
    circle = list(range(len(users)))
    for start in range(len(users)):
        if index[start] >= 0:
            continue
        path = [(start, 0)]
        while path:
            number, position = path.pop()
            if position == 0:
                index[number] = low[number] = count
                count += 1
                open_ones.append(number)
                is_open[number] = 1
            elif is_open[users[number][position - 1]]:
                low[number] = min(low[number], low[users[number][position - 1]])
            while position < len(users[number]) and index[users[number][position]] >= 0:
                if is_open[users[number][position]]:
                    low[number] = min(low[number], index[users[number][position]])
                position += 1
            if position < len(users[number]):
                path += [(number, position + 1), (users[number][position], 0)]
            elif low[number] == index[number]:
                while True:
                    member = open_ones.pop()
                    is_open[member] = 0
                    circle[member] = number
                    if member == number:
                        break
    return circle
