"""The difference of two API descriptions, seen by those who use the API; pure, and nothing is fetched.

`comparing` → `operations` (with `parameters`, `bodies`, `content`, `responses`, `security`) take schemas to be compared
into `work`; `schemas` goes through them (`values`, `members`, `variants`); `recording` holds what is found, and `uses`
which operations it reaches. `reading` and `shapes` read one document.
"""

from gates.contract.changes import Change, Comparison
from gates.contract.comparing import compare_documents
from gates.contract.rules import RULES

__all__ = ["RULES", "Change", "Comparison", "compare_documents"]
