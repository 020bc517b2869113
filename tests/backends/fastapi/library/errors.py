"""One shape for all errors, and what each operation says about them in the document."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from library.models import ErrorAnswer

_DESCRIPTIONS = {
    400: "The body cannot be read.",
    401: "Nobody with a valid token is asking.",
    403: "Only a librarian may do this.",
    404: "There is no such book.",
    422: "A value is missing, of the wrong type or out of bounds.",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the error responses of an operation, for its decorator."""
    return {status: {"model": ErrorAnswer, "description": _DESCRIPTIONS[status]} for status in statuses}


def add_error_handlers(app: FastAPI) -> None:
    """Give every error the one shape."""

    @app.exception_handler(HTTPException)
    async def refuse(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(sorted(_methods_at(app, request)))
        return _answer(error.status_code, str(error.detail), headers)

    @app.exception_handler(RequestValidationError)
    async def refuse_content(request: Request, error: RequestValidationError) -> JSONResponse:
        # The input itself is left out: it may be secret, or not even text.
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return _answer(422, f"{place}: {first['msg']}".encode("ascii", "backslashreplace").decode())

    @app.exception_handler(Exception)
    async def crash(request: Request, error: Exception) -> JSONResponse:
        return _answer(500, "Something went wrong on our side.")


def _answer(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": {"status": status, "message": message}}, status, headers)


def _methods_at(app: FastAPI, request: Request) -> set[str]:
    # A framework route knows its own methods only; a path may have several routes.
    methods: set[str] = set()
    for route in app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return methods
