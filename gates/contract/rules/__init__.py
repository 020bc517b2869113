"""The rules by topic, with what `gates explain` says about each."""

from __future__ import annotations

from collections.abc import Mapping

from gates.contract.rules.bodies import BODIES
from gates.contract.rules.operations import OPERATIONS
from gates.contract.rules.parameters import PARAMETERS
from gates.contract.rules.responses import RESPONSES
from gates.contract.rules.schemas import SCHEMAS
from gates.contract.rules.security import SECURITY
from gates.contract.rules.versions import VERSIONS
from gates.rules import Rule, by_id

RULES: Mapping[str, Rule] = by_id((*OPERATIONS, *PARAMETERS, *BODIES, *RESPONSES, *SCHEMAS, *SECURITY, *VERSIONS))
"""All rules of the comparison, by their names."""
