"""A program of its own, in which alone Schemathesis is imported: are answers what the document says they are?

`python conforms.py QUESTIONS ANSWERS`: reads `{"document": …, "answers": [{"operation", "status", "headers", "body"}]}`
with bodies in base64, and writes a list of true, false, or null where the document says nothing that could be held
against an answer.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any


def conforms(schema: Any, answer: dict[str, Any]) -> bool | None:
    """Return whether one answer has the body that its operation documents; None when that cannot be said."""
    import requests
    from schemathesis.core.errors import InvalidSchema
    from schemathesis.core.failures import Failure, FailureGroup
    from schemathesis.core.transport import Response

    method, _, path = answer["operation"].partition(" ")
    sent = requests.Request(method, "http://127.0.0.1/").prepare()
    headers = {name: [value] for name, value in answer["headers"].items()}
    response = Response(answer["status"], headers, base64.b64decode(answer["body"]), sent, 0.0, True)
    try:
        schema[path][method].validate_response(response)
    except (Failure, FailureGroup):
        return False
    except (InvalidSchema, LookupError):
        return None
    return True


def main(questions: Path, answers: Path) -> None:
    """Answer every question."""
    import schemathesis

    asked = json.loads(questions.read_text("utf-8"))
    schema = schemathesis.openapi.from_dict(asked["document"])
    answers.write_text(json.dumps([conforms(schema, answer) for answer in asked["answers"]]), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
