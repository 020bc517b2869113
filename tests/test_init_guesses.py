"""What `gates init` guesses of a project for the guideline, and from what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gates.config.load import load_configuration
from gates.init import look_at, propose
from gates.init.guessing import Guess

FASTAPI = {"main.py": "from fastapi import FastAPI\napp = FastAPI()\n"}
FLASK = {"app.py": "from flask import Flask\napp = Flask(__name__)\n"}
DJANGO = {"manage.py": "os.environ['DJANGO_SETTINGS_MODULE'] = 'shop.settings'\n"}


def package(*dependencies: str, **more: Any) -> dict[str, str]:
    content = {"name": "shop", "scripts": {"start": "node ."}, "dependencies": dict.fromkeys(dependencies, "1"), **more}
    return {"package.json": json.dumps(content, indent=2)}


def guesses(root: Path, files: Mapping[str, str]) -> Mapping[str, Guess]:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return look_at(root).guesses


@pytest.mark.parametrize(
    ("files", "framework", "language", "tests"),
    [
        ({**FASTAPI, "requirements.txt": "fastapi\npytest\n"}, "FastAPI", "python", "pytest"),
        ({**FLASK, "tests/conftest.py": ""}, "Flask", "python", "pytest"),
        (DJANGO, "Django", "python", "Django's test runner"),
        (
            {**DJANGO, "requirements.txt": "django\ndjangorestframework\npytest-django\n"},
            "Django REST framework",
            "python",
            "pytest",
        ),
        (package("express", devDependencies={"jest": "1"}), "Express.js", "javascript", "Jest"),
        (
            package("express", scripts={"start": "node .", "test": "node --test"}),
            "Express.js",
            "javascript",
            "Node's test runner",
        ),
        (package("@nestjs/core", "typescript", "vitest"), "NestJS", "typescript", "Vitest"),
        (package("fastify", "mocha"), "Fastify", "javascript", "Mocha"),
        ({"go.mod": "module shop\nrequire github.com/gin-gonic/gin v1\n"}, "Gin", "go", "Go's testing package"),
        ({"go.mod": "module shop\n"}, "Go", "go", "Go's testing package"),
        (
            {"pom.xml": "<artifactId>spring-boot-starter-web</artifactId><artifactId>junit</artifactId>"},
            "Spring Boot",
            "java",
            "JUnit",
        ),
        ({"Cargo.toml": '[dependencies]\naxum = "0.8"\n'}, "Axum", "text", "the language's usual test framework"),
        ({}, "an HTTP framework", "text", "the language's usual test framework"),
    ],
)
def test_framework_language_and_tests(
    tmp_path: Path, files: Mapping[str, str], framework: str, language: str, tests: str
) -> None:
    found = guesses(tmp_path, files)
    assert found["BACKEND_FRAMEWORK"].answer == framework
    assert found["LANGUAGE_EXTENSION"].answer == language
    assert found["TESTING_FRAMEWORK"].answer == tests


@pytest.mark.parametrize(
    ("files", "database", "approach", "code"),
    [
        ({**FASTAPI, "requirements.txt": "sqlalchemy\nasyncpg\n"}, "PostgreSQL", "async operations", "AsyncSession"),
        (
            {**FASTAPI, "requirements.txt": "sqlalchemy\npsycopg2-binary==2.9\n"},
            "PostgreSQL",
            "ORM queries",
            "session: Session",
        ),
        ({**FASTAPI, "db.py": "import sqlite3\n"}, "SQLite", "parameterized SQL", "WHERE customer_id = ?"),
        ({**FLASK, "requirements.txt": "pymongo\n"}, "MongoDB", "document queries", "database.orders.find"),
        (
            {**DJANGO, "shop/settings.py": "'ENGINE': 'django.db.backends.mysql'", "requirements.txt": "django\n"},
            "MySQL",
            "ORM queries",
            "Order.objects.filter",
        ),
        (
            {**FLASK, "docker-compose.yml": "services:\n  db:\n    image: mariadb:11\n"},
            "MySQL",
            "parameterized SQL",
            "LIMIT ?",
        ),
        (
            {**FLASK, ".env.example": "DATABASE_URL=postgresql+psycopg://u:p@h/d\n"},
            "PostgreSQL",
            "parameterized SQL",
            "LIMIT ?",
        ),
        (package("express", "pg"), "PostgreSQL", "parameterized SQL", "pool.query("),
        (package("express", "mongoose"), "MongoDB", "document queries", ".lean()"),
        (
            {**package("express", "@prisma/client"), "prisma/schema.prisma": 'provider = "postgresql"'},
            "PostgreSQL",
            "ORM queries",
            "findMany",
        ),
        (
            {"go.mod": "require (\n\tgorm.io/gorm v1\n\tgorm.io/driver/sqlite v1\n)"},
            "SQLite",
            "ORM queries",
            ".Find(&orders)",
        ),
        (
            {"pom.xml": "<artifactId>spring-boot-starter-data-jpa</artifactId><groupId>org.postgresql</groupId>"},
            "PostgreSQL",
            "ORM queries",
            "JpaRepository",
        ),
        # SQLite lies in examples; a server that is named anywhere counts.
        (
            {**FASTAPI, ".env.example": "DB=sqlite:///x.db\n", "requirements.txt": "asyncpg\n"},
            "PostgreSQL",
            "async operations",
            "LIMIT ?",
        ),
        (
            FASTAPI,
            "a database, once there is one",
            "async operations",
            "# not used: no database was found in this project",
        ),
        (
            package("express"),
            "a database, once there is one",
            "parameterized SQL",
            "// not used: no database was found",
        ),
    ],
)
def test_the_database(tmp_path: Path, files: Mapping[str, str], database: str, approach: str, code: str) -> None:
    found = guesses(tmp_path, files)
    assert found["DATABASE_TYPE"].answer == database
    assert found["DATABASE_APPROACH"].answer == approach
    assert code in found["DATABASE_EXAMPLE"].answer


@pytest.mark.parametrize(
    ("scheme", "method"),
    [
        ({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}, "JWT tokens"),
        ({"type": "http", "scheme": "bearer"}, "bearer tokens"),
        ({"type": "http", "scheme": "basic"}, "HTTP Basic over TLS"),
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, "API keys"),
        ({"type": "oauth2", "flows": {}}, "OAuth 2.0"),
        ({"type": "openIdConnect", "openIdConnectUrl": "https://example.org"}, "OpenID Connect"),
        ({"type": "nonsense"}, "token-based authentication (none was found yet)"),
        ("nonsense", "token-based authentication (none was found yet)"),
    ],
)
def test_the_authentication_is_that_of_the_document(tmp_path: Path, scheme: Any, method: str) -> None:
    document = {
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"},
        "paths": {"/api/v1/parcels": {"get": {"responses": {}}}}, "components": {"securitySchemes": {"one": scheme}},
    }  # fmt: skip
    found = guesses(tmp_path, {**FLASK, "openapi.json": json.dumps(document)})
    assert found["AUTH_METHOD"].answer == method
    assert found["DOMAIN"].answer == "parcels"
    document["paths"]["/api/v1/parcels"]["get"]["tags"] = ["Fleet Cars"]  # type: ignore[index]
    assert guesses(tmp_path, {"openapi.json": json.dumps(document)})["DOMAIN"].answer == "fleet_cars"


@pytest.mark.parametrize(
    ("dependency", "method"),
    [
        ("pyjwt", "JWT tokens"),
        ("Authlib", "OAuth 2.0"),
        ("flask-login", "session-based auth"),
        ("jwtlike", "token-based"),
    ],
)
def test_without_a_document_it_is_that_of_the_dependencies(tmp_path: Path, dependency: str, method: str) -> None:
    found = guesses(tmp_path, {**FLASK, "requirements.txt": f"flask\n{dependency}>=1\n"})
    assert found["AUTH_METHOD"].answer.startswith(method)


def test_what_is_not_used_is_said_and_what_is_used_is_shown(tmp_path: Path) -> None:
    found = guesses(tmp_path, FASTAPI)
    assert found["WEBSOCKET_EXAMPLE"].answer == "# not used: this backend has no WebSocket"
    assert found["EVENT_PROCESSING_EXAMPLE"].answer.startswith("# not used")
    used = "from fastapi import BackgroundTasks, WebSocket\n@app.websocket('/feed')\n"
    found = guesses(tmp_path, {"feed.py": used})
    assert "await socket.accept()" in found["WEBSOCKET_EXAMPLE"].answer
    assert "tasks.add_task(" in found["EVENT_PROCESSING_EXAMPLE"].answer
    assert "feed.py has" in found["WEBSOCKET_EXAMPLE"].evidence


@pytest.mark.parametrize(
    ("name", "text", "coverage"),
    [
        ("pyproject.toml", "[tool.coverage.report]\nfail_under = 85\n", "85"),
        ("setup.cfg", "[tool:pytest]\naddopts = --cov-fail-under=77.5\n", "77.5"),
        ("jest.config.js", "module.exports = { coverageThreshold: { global: { branches: 70, lines: 82 } } }", "82"),
        ("pyproject.toml", "[tool.coverage.report]\nfail_under = 0\n", "90"),
        ("README.md", "fail_under = 85", "90"),
    ],
)
def test_the_coverage_that_the_project_demands_of_itself(tmp_path: Path, name: str, text: str, coverage: str) -> None:
    assert guesses(tmp_path, {**FASTAPI, name: text})["TEST_COVERAGE_TARGET"].answer == coverage


def test_names_that_cannot_stand_in_a_guideline_are_not_taken(tmp_path: Path) -> None:
    root = tmp_path / "my {DOMAIN} `x`"
    root.mkdir()
    found = guesses(root, {**FASTAPI, "pyproject.toml": '[project]\nname = "\u00e9\U0001f600"\n'})
    assert found["BACKEND_DIR"].answer == "backend"
    assert found["DOMAIN"].answer
    assert propose(root).guideline


@pytest.mark.parametrize(
    ("files", "gates"),
    [
        (FASTAPI, {"contract", "documentation", "rest", "earlier", "replay", "phase", "guidelines"}),
        ({**FLASK, "openapi.yaml": "openapi: 3.1.0\n"},
         {"contract", "documentation", "rest", "earlier", "replay", "phase", "guidelines"}),
        ({**package("express", "swagger-jsdoc")},
         {"contract", "documentation", "rest", "earlier", "replay", "phase", "guidelines"}),
        (FLASK, {"phase", "guidelines"}),
        (package("express"), {"phase", "guidelines"}),
    ],
)  # fmt: skip
def test_gates_that_need_a_document_are_there_when_it_is(
    tmp_path: Path, files: Mapping[str, str], gates: set[str]
) -> None:
    guesses(tmp_path, files)
    proposal = propose(tmp_path)
    (tmp_path / "gates.toml").write_text(proposal.text)
    configuration = load_configuration(tmp_path / "gates.toml")
    profiles = (
        {"tests", "security", "fuzz", "load"} if "main.py" in files or "app.py" in files else {"tests", "fuzz", "load"}
    )
    assert set(configuration.gates) == gates | profiles
    told = "\n".join(proposal.guesses)
    assert ("it has an OpenAPI document" in told) is ("contract" in gates)
    assert ("no OpenAPI document was found" in told) is ("contract" not in gates)


def test_connections_are_only_demanded_where_they_can_be_counted(tmp_path: Path) -> None:
    guesses(tmp_path, FASTAPI)
    assert '\n# database.connections = "<= 20"' in propose(tmp_path).text
    guesses(tmp_path, {"requirements.txt": "asyncpg\n"})
    assert '\ndatabase.connections = "<= 20"' in propose(tmp_path).text


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("orders-api", "orders"),
        ("fastapi-shop-example-app", "shop"),
        ("@acme/stock-service", "stock"),
        ("my-app", "my_app"),
    ],
)
def test_the_domain_is_what_the_name_says_of_it(tmp_path: Path, name: str, domain: str) -> None:
    assert guesses(tmp_path, {"pyproject.toml": f'[tool.poetry]\nname = "{name}"\n'})["DOMAIN"].answer == domain


def test_what_only_dependencies_depend_on_says_nothing(tmp_path: Path) -> None:
    mod = "require (\n\tgithub.com/jinzhu/gorm v1\n\tgithub.com/lib/pq v1 // indirect\n)\n"
    found = guesses(tmp_path, {"go.mod": mod, "main.go": 'db, err := gorm.Open("sqlite3", path)\n'})
    assert found["DATABASE_TYPE"].answer == "SQLite"


def test_every_guess_says_what_it_came_from(tmp_path: Path) -> None:
    guesses(tmp_path, {**package("express", "pg"), "tsconfig.json": "{}"})
    told = "\n".join(propose(tmp_path).guesses)
    for words in (
        "DATABASE_TYPE = 'PostgreSQL': package.json has 'pg'",
        "LANGUAGE_EXTENSION = 'typescript': there is TypeScript in it",
        "only usual, as nothing in the project says so: ",
        "COMPLEX_OPERATION_TARGET = 500 ms",
        "is an example of the framework, and not this project's",
        "are the guideline's own, for Python: adapt them to typescript",
    ):
        assert words in told
