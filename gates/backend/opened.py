"""The connections that a backend opened itself, to its database, caches and other services; not those it accepted."""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import psutil

_REQUEST, _DUMP = 0x1, 0x300
_SOCK_DIAG, _BY_FAMILY, _ERROR, _DONE = 4, 20, 2, 3
_SHOW_NAME, _SHOW_PEER = 0x1, 0x4
_NAME, _PEER = 0, 2
_HEADER, _MESSAGE, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BBBBIII"), struct.Struct("=HH")


def opened_connections(processes: Sequence[psutil.Process]) -> Mapping[str, int] | None:
    """Return the connections that processes have opened and hold, by remote address: `127.0.0.1:5432`, `unix:/path`.

    None where the system does not let us look.
    """
    try:
        return Counter([*_tcp(processes), *_unix(processes)])
    except (psutil.AccessDenied, OSError):
        return None


def _tcp(processes: Sequence[psutil.Process]) -> list[str]:
    listening: set[int] = set()
    held: dict[tuple[str, int, str], None] = {}  # a worker that was forked holds its parent's as well
    for process in processes:
        try:
            found = process.net_connections(kind="tcp")
        except psutil.NoSuchProcess:
            continue  # it ended while we looked
        for one in found:
            if one.status == psutil.CONN_LISTEN:
                listening.add(one.laddr.port)
            elif one.status == psutil.CONN_ESTABLISHED:
                held[one.laddr.ip, one.laddr.port, _address(one.raddr.ip, one.raddr.port)] = None
    return [remote for _, port, remote in held if port not in listening]


def _address(host: str, port: int) -> str:
    host = host.removeprefix("::ffff:")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _unix(processes: Sequence[psutil.Process]) -> list[str]:
    """Return the listeners that the processes' Unix sockets are connected to, by the path of each."""
    if sys.platform != "linux":
        return []
    mine = {inode for process in processes for inode in _sockets_of(process.pid)}
    peers, names = _unix_sockets()
    # What was connected has no name; the other end has that of the listener it was accepted by.
    return [
        f"unix:{names[peer]}"
        for inode, peer in peers.items()
        if inode in mine and peer not in mine and inode not in names and peer in names
    ]


def _sockets_of(pid: int) -> Iterator[int]:
    folder = f"/proc/{pid}/fd"
    try:
        descriptors = os.listdir(folder)
    except FileNotFoundError:
        return  # it ended while we looked
    for descriptor in descriptors:
        try:
            target = os.readlink(f"{folder}/{descriptor}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            yield int(target[len("socket:[") : -1])


def _unix_sockets() -> tuple[dict[int, int], dict[int, str]]:
    """Return the peer of each connected Unix socket, and the path of each that has one, by inode (sock_diag(7))."""
    peers: dict[int, int] = {}
    names: dict[int, str] = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        asked = struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, 0xFFFFFFFF, 0, _SHOW_NAME | _SHOW_PEER, 0, 0)
        kernel.sendto(_HEADER.pack(_HEADER.size + len(asked), _BY_FAMILY, _REQUEST | _DUMP, 1, 0) + asked, (0, 0))
        kernel.settimeout(1.0)
        while True:
            data = kernel.recv(65536)
            while len(data) >= _HEADER.size:
                size, kind, *_ = _HEADER.unpack_from(data)
                if kind in (_DONE, _ERROR):
                    return peers, names
                inode = _MESSAGE.unpack_from(data, _HEADER.size)[4]
                for attribute, value in _attributes(data[_HEADER.size + _MESSAGE.size : size]):
                    if attribute == _PEER:
                        peers[inode] = int.from_bytes(value[:4], sys.byteorder)
                    elif attribute == _NAME and value:
                        names[inode] = value.rstrip(b"\0").decode("utf-8", "replace").replace("\0", "@")
                data = data[_aligned(size) :]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _ATTRIBUTE.size:
        size, kind = _ATTRIBUTE.unpack_from(data)
        yield kind, data[_ATTRIBUTE.size : size]
        data = data[max(_ATTRIBUTE.size, _aligned(size)) :]


def _aligned(size: int) -> int:
    return (size + 3) & ~3
