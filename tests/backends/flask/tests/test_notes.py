import os
import unittest
from unittest import mock

from notes import trouble
from notes.app import create_app


class NotesTest(unittest.TestCase):
    def setUp(self):
        self.client = create_app().test_client()

    def add(self, **fields):
        response = self.client.post("/api/v1/notes", json={"title": "Tea", **fields})
        self.assertEqual(response.status_code, 201)
        return response.json["data"]

    def test_a_note_that_was_kept_can_be_read(self):
        response = self.client.post("/api/v1/notes", json={"title": "Tea"})
        self.assertEqual(self.client.get(response.headers["Location"]).json, response.json)
        self.assertEqual(response.json["data"]["text"], "")
        self.assertEqual(response.json["data"]["tags"], [])

    def test_notes_are_listed_page_by_page(self):
        first = self.client.get("/api/v1/notes?limit=20").json
        second = self.client.get(f"/api/v1/notes?limit=20&after={first['next']}").json
        self.assertEqual([note["id"] for note in first["data"] + second["data"]], list(range(1, 31)))
        self.assertIsNone(second["next"])

    def test_notes_are_listed_by_tag(self):
        note = self.add(tags=["garden"])
        self.assertEqual(self.client.get("/api/v1/notes?tag=garden").json, {"data": [note], "next": None})
        self.assertEqual(self.client.get("/api/v1/notes?tag=").status_code, 422)

    def test_a_change_leaves_what_it_does_not_name(self):
        note = self.add(text="Green.")
        changed = self.client.patch(f"/api/v1/notes/{note['id']}", json={"title": "Green tea"}).json["data"]
        self.assertEqual(changed, {**note, "title": "Green tea"})
        self.assertEqual(self.client.patch("/api/v1/notes/77", json={"title": "Tea"}).status_code, 404)

    def test_a_note_that_was_removed_is_gone(self):
        self.assertEqual(self.client.delete("/api/v1/notes/1").status_code, 204)
        self.assertEqual(self.client.get("/api/v1/notes/1").status_code, 404)
        self.assertEqual(self.client.delete("/api/v1/notes/1").status_code, 404)

    def test_tags_are_counted(self):
        self.add(tags=["kitchen", "garden"])
        counts = {entry["tag"]: entry["notes"] for entry in self.client.get("/api/v1/tags").json["data"]}
        self.assertEqual(counts, {"kitchen": 11, "repair": 10, "street": 10, "garden": 1})

    def test_notes_that_make_no_sense_are_refused(self):
        for body in (
            [],
            {},
            {"text": "no title"},
            {"title": ""},
            {"title": 7},
            {"title": "\ud800"},
            {"title": "Tea", "text": None},
            {"title": "Tea", "tags": "garden"},
            {"title": "Tea", "tags": [""]},
            {"title": "Tea", "tags": ["x"] * 11},
            {"title": "Tea", "colour": "green"},
        ):
            with self.subTest(body=body):
                response = self.client.post("/api/v1/notes", json=body)
                self.assertEqual(response.status_code, 422)
                self.assertTrue(response.json["error"]["message"])

    def test_numbers_out_of_bounds_are_refused(self):
        for path in ("?limit=0", "?limit=101", "?limit=x", "?after=-1", "?after=99999999999", "/0", "/x"):
            with self.subTest(path=path):
                self.assertEqual(self.client.get(f"/api/v1/notes{path}").status_code, 422)

    def test_errors_have_one_shape(self):
        for status, response in {
            400: self.client.post("/api/v1/notes", data="{", content_type="application/json"),
            404: self.client.get("/nowhere"),
            405: self.client.put("/api/v1/notes"),
            415: self.client.post("/api/v1/notes", data="{}"),
        }.items():
            with self.subTest(status=status):
                self.assertEqual(response.status_code, status)
                self.assertEqual(response.json["error"]["status"], status)

    def test_it_describes_every_route_under_its_version(self):
        described = {
            (method.upper(), path)
            for path, item in self.client.get("/openapi.json").json["paths"].items()
            for method in item
            if method != "parameters"
        }
        routed = {
            (method, rule.rule.replace("<", "{").replace(">", "}"))
            for rule in self.client.application.url_map.iter_rules()
            for method in rule.methods - {"HEAD", "OPTIONS"}
            if rule.rule != "/openapi.json"
        }
        self.assertEqual(described, routed)


class TroubleTest(unittest.TestCase):
    def test_trouble_can_be_switched_on(self):
        client = create_app().test_client()
        with mock.patch.dict(os.environ, {"CRASH_ON": "3", "NEVER_READY": "1", "GARBAGE_OPENAPI": "1"}):
            self.assertEqual(client.get("/api/v1/notes/2").status_code, 200)
            self.assertEqual(client.get("/api/v1/notes/3").status_code, 500)
            self.assertEqual(client.get("/health").status_code, 503)
            self.assertTrue(client.get("/openapi.json").text.endswith("{"))
        self.assertEqual(client.get("/health").json, {"status": "ok"})

    def test_it_dies_when_it_is_told_to(self):
        client = create_app().test_client()
        with mock.patch.dict(os.environ, {"DIE_AFTER_REQUESTS": "2"}), mock.patch.object(trouble.os, "_exit") as died:
            for _ in range(2):
                client.get("/health")
            died.assert_not_called()
            client.get("/health")
            died.assert_called_once_with(3)
