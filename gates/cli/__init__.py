"""The command line: each command a few lines; the only place that prints or exits.

Everything but typer is imported where it is used, so that `gates --version` costs no more than typer itself.
"""

from __future__ import annotations

import io
import os
import signal
import sys

from gates.cli import beginning, checking, contract, phases, showing
from gates.cli.application import INTERRUPTED, OUTPUT_GONE, Ended, app
from gates.cli.screen import drop_output, fail
from gates.errors import ConfigurationError, GatesError, IntegrityError, SignoffRefused

# The modules whose commands there are, listed in this order; the application; and what starts it.
__all__ = ["app", "beginning", "checking", "contract", "main", "phases", "showing"]


def _terminate(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; every error a user can put right is one sentence, a hint and its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    if sys.stdout is None:  # a caller closed it
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for as long as this runs
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that cannot be shown is no reason to end
    try:
        app()
    except ConfigurationError as error:
        fail(error.message, error.hint, 2)
    except IntegrityError as error:
        fail(error.message, error.hint, 5)
    except SignoffRefused as error:
        fail(error.message, error.hint, 1)
    except GatesError as error:
        fail(error.message, error.hint, 3)
    except OSError as error:
        drop_output()
        fail(f"{error.strerror}: {error.filename or ''}".rstrip(": "), "is there room, and may gates write there?", 3)
    except (Ended, KeyboardInterrupt) as ended:
        if OUTPUT_GONE in ended.args:
            drop_output()
            sys.exit(OUTPUT_GONE)
        fail("interrupted; what was started is stopped, and what had ended is saved", "", INTERRUPTED)
