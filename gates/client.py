"""The harness's own requests to a backend: few, bounded, to loopback only unless a host was allowed by name."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from gates.errors import ConfigurationError, GatesError

MAX_BODY = 64 * 1024 * 1024


class NoAnswer(GatesError):
    """The backend did not answer with HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; header names are lower case; redirects are answers, never followed."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, whatever bytes it holds."""
        return self.body.decode("utf-8", "replace")


def check_host(url: str, allowed: Collection[str] = ()) -> None:
    """Raise ConfigurationError unless a URL is on loopback or names an allowed host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f"{url!r} is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise ConfigurationError(f"{url!r} is not an http or https URL", "write it as http://127.0.0.1:8000")
    if host in allowed or host == "localhost":
        return
    try:
        if ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        pass  # a name, and not one that was allowed
    raise ConfigurationError(
        f"{host!r} is not on this machine, and load and fuzzing must not reach strangers",
        f'if it is yours, allow it by name: [backend] allow_hosts = ["{host}"]',
    )


def request(
    origin: str,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout: float = 10.0,
) -> Answer:
    """Send one request to an origin such as `http://127.0.0.1:8000`; raises NoAnswer with the reason.

    `timeout` holds for each step, and for the whole answer too: one that trickles in for ever has an end.
    """
    parts = urlsplit(origin)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    deadline = time.monotonic() + timeout
    try:
        connection.request(method, path, body=body, headers={"Connection": "close", **(headers or {})})
        response = connection.getresponse()
        content = bytearray()
        while chunk := response.read1(2**20):
            content += chunk
            if time.monotonic() > deadline:
                raise TimeoutError
            if len(content) > MAX_BODY:
                raise NoAnswer(f"{method} {path} answered with more than {MAX_BODY // 2**20} MiB")
        if response.length:
            raise NoAnswer(f"the answer to {method} {path} broke off {response.length} bytes before its end")
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, bytes(content))
    except TimeoutError as error:
        raise NoAnswer(f"{method} {path} was not answered within {timeout:g} s") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(f"{method} {path} was not answered: {str(error) or type(error).__name__}") from error
    finally:
        connection.close()


def free_port() -> int:
    """Return a loopback port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
