"""REST conventions: what the guideline says about an API's names, methods, statuses and shapes, held to its document.

Pure: takes a parsed document, gives findings; nothing is fetched, and every loop is linear in the document.
"""

from gates.rest.conventions import Conventions
from gates.rest.judging import check_conventions, check_routes
from gates.rest.rulebook import RULES

__all__ = ["RULES", "Conventions", "check_conventions", "check_routes"]
