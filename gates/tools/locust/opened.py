"""The connections that the backend opened itself while it was loaded: most at once, by whom they lead to."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gates.results import Measurement
from gates.tools.locust.watch import Watched

DATABASE_PORTS = {
    1433: "SQL Server", 1521: "Oracle", 3306: "MySQL", 5432: "PostgreSQL", 6379: "Redis", 7687: "Neo4j",
    9042: "Cassandra", 26257: "CockroachDB", 27017: "MongoDB", 33060: "MySQL", 50000: "Db2",
}  # fmt: skip
"""The ports on which databases listen unless they are told otherwise."""
_SOCKETS = (".s.PGSQL.", "mysql", "mariadb", "mongodb", "redis")
"""What their Unix sockets have in their names."""
_SHOWN = 12


def is_database(remote: str, named: Collection[str]) -> bool:
    """Return whether an address (`host:port` or `unix:/path`) is that of a database; `named` are further ones."""
    if remote in named:
        return True
    if remote.startswith("unix:"):
        name = remote.rpartition("/")[2]
        return any(part in name for part in _SOCKETS)
    return int(remote.rpartition(":")[2]) in DATABASE_PORTS


def measured(watched: Sequence[Watched], databases: Collection[str]) -> list[Measurement]:
    """Return most connections at once, over all and by remote address, one sample per backend that was loaded.

    Those to databases together are `database.connections`; where none is known for one, it is not measured: a database
    on a port of its own would look like any other service.
    """
    seen = [one.opened for one in watched if one.opened]
    if not seen:
        return []
    remotes = {remote for opened in seen for remote in opened}
    by_most = sorted(remotes - {""}, key=lambda remote: (-max(opened.get(remote, 0) for opened in seen), remote))
    found = [
        _most("load.connections", remote, [opened.get(remote, 0) for opened in seen])
        for remote in ["", *by_most[:_SHOWN]]
    ]
    if any(is_database(remote, databases) for remote in by_most):
        together = [
            sum(count for remote, count in opened.items() if remote and is_database(remote, databases))
            for opened in seen
        ]
        found.append(_most("database.connections", "", together))
    return found


def _most(name: str, scope: str, counts: Sequence[int]) -> Measurement:
    samples = tuple(float(count) for count in counts)
    return Measurement(name, max(samples), "1", "lower", scope, samples=samples)
