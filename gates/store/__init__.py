"""Where runs are kept: the history of a checkout, and a file for each phase that was signed off.

Importing this costs no sqlite-utils; it is loaded by those who write.
"""

from gates.store.baselines import read_baseline, write_baseline
from gates.store.connection import DamagedError, LockedError, NewerError, StoreError
from gates.store.digest import canonical_content, content_digest, verify_baseline, verify_chain
from gates.store.history import HistoryPoint, RunLine, RunNotFound, Store

__all__ = [
    "DamagedError",
    "HistoryPoint",
    "LockedError",
    "NewerError",
    "RunLine",
    "RunNotFound",
    "Store",
    "StoreError",
    "canonical_content",
    "content_digest",
    "read_baseline",
    "verify_baseline",
    "verify_chain",
    "write_baseline",
]
