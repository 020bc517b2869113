"""What stands beside this file (projects, samples) can be imported by the tests in every folder below it.

Here are the projects that are too expensive to be made by one test alone.
"""

from __future__ import annotations

import json
import signal

import pytest
from projects import SMALL_BACKEND, Api, deciding, gates_toml, small_project

from gates.pipeline.signoff import sign_off

# A shell that runs the tests in the background lets them ignore it, and what they start and interrupt would as well.
signal.signal(signal.SIGINT, signal.default_int_handler)


def _document(*paths: str) -> str:
    answers = {"get": {"responses": {"200": {"description": "It is there.", "content": {"application/json": {}}}}}}
    content = {"openapi": "3.1.0", "info": {"title": "small", "version": "1"}, "paths": dict.fromkeys(paths, answers)}
    return json.dumps(content)


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Api:
    """Return it after its two checks, the second of fuzzing alone; its first phase is signed off with debts."""
    toml = gates_toml(
        '[gates.fuzz]\ntool = "schemathesis"\nphases = ["examples", "coverage"]\ncoverage_cases = 3\n'
        '[gates.load]\ntool = "locust"\nprofile = "smoke"\nrate = "20 /s"\nseconds = "1 s"\nusers = 0\n',
        backend=f"start = '''{SMALL_BACKEND}'''\nready = \"/health\"\nopenapi = \"openapi.json\"\n"
        'env = { SMALL_PASSWORD = "${API_PASSWORD}" }\nauth.check = "GET /me"\n'
        '[backend.auth.login]\noperation = "POST /login"\nbody = { password = "${API_PASSWORD}" }\n'
        'token = "$.data.tokens[0]"\nheader = "X-Token"\nscheme = ""',
        targets='operation."GET /thngs" = "<= 50 ms"',
        left_out=deciding("endpoints", "performance") + 'tests = "This is a test of something else."\n',
    )
    project = small_project(
        tmp_path_factory.mktemp("api") / "project", toml, **{"openapi.json": _document("/health", "/things")}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("API_PASSWORD", Api.secrets[1])
        first = project.json()
        sign_off(project.root, None, by="Somebody", accept_debt=True)
        project.commit("an operation less", **{"openapi.json": _document("/health")})
        return Api(project, first, project.json("fuzz"))
