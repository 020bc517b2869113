"""The HTTP interface: python -m flask --app notes.app run."""

from pathlib import Path

from flask import Flask, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException, InternalServerError

from notes import trouble
from notes.requests import LARGEST_INTEGER, fields_of_body, integer
from notes.store import Store

DOCUMENT = Path(__file__).with_name("openapi.json").read_bytes()

Answer = Response | tuple[Response, int] | tuple[Response, int, dict[str, str]]


def create_app() -> Flask:
    """Return the service with notes of its own."""
    trouble.slow_start()
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 256 * 1024
    app.json.sort_keys = False
    trouble.add_trouble(app)
    _add_errors(app)
    _add_operations(app, Store())
    return app


def _add_errors(app: Flask) -> None:
    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> tuple[Response, int, list[tuple[str, str]]]:
        headers = [header for header in error.get_headers() if header[0] not in ("Content-Type", "Content-Length")]
        body = jsonify({"error": {"status": error.code, "message": error.description}})
        return body, error.code or 500, headers

    @app.errorhandler(Exception)
    def crash(error: Exception) -> tuple[Response, int, list[tuple[str, str]]]:
        app.logger.error("unexpected", exc_info=error)
        return refuse(InternalServerError("Something went wrong on our side."))


def _add_operations(app: Flask, notes: Store) -> None:
    @app.get("/health")
    def health() -> Answer:
        return jsonify({"status": "ok"})

    @app.get("/openapi.json")
    def openapi() -> Answer:
        return Response(DOCUMENT, mimetype="application/json")

    @app.get("/api/v1/tags")
    def list_tags() -> Answer:
        return jsonify({"data": [{"tag": tag, "notes": count} for tag, count in notes.tags().items()]})

    @app.get("/api/v1/notes")
    def list_notes() -> Answer:
        trouble.slow_down()
        limit = integer(request.args.get("limit", "20"), "limit", 1, 100)
        after = integer(request.args.get("after", "0"), "after", 0, LARGEST_INTEGER)
        tag = request.args.get("tag")
        if tag is not None and not 1 <= len(tag) <= 30:
            abort(422, "tag must be a text of 1 to 30 characters.")
        page, following = notes.page(after, limit, tag)
        return jsonify({"data": page, "next": following})

    @app.post("/api/v1/notes")
    def add_note() -> Answer:
        note = notes.add(fields_of_body({"title"}))
        return jsonify({"data": note}), 201, {"Location": f"/api/v1/notes/{note['id']}"}

    @app.get("/api/v1/notes/<note_id>")
    def get_note(note_id: str) -> Answer:
        trouble.crash_on(note_id)
        note = notes.get(integer(note_id, "note_id", 1, LARGEST_INTEGER))
        return jsonify({"data": note}) if note else _no_note(note_id)

    @app.patch("/api/v1/notes/<note_id>")
    def change_note(note_id: str) -> Answer:
        note = notes.change(integer(note_id, "note_id", 1, LARGEST_INTEGER), fields_of_body(set()))
        return jsonify({"data": note}) if note else _no_note(note_id)

    @app.delete("/api/v1/notes/<note_id>")
    def remove_note(note_id: str) -> Answer:
        removed = notes.remove(integer(note_id, "note_id", 1, LARGEST_INTEGER))
        return Response(status=204) if removed else _no_note(note_id)


def _no_note(note_id: str) -> Answer:
    abort(404, f"There is no note {note_id}.")


app = create_app()
