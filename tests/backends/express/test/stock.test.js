import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";

import { createApp } from "../src/app.js";
import { slowStart } from "../src/trouble.js";

const BOLT = { name: "Carriage bolt M8×40", shelf: "A7", count: 30 };

let server;

async function ask(path, { method = "GET", body, type = "application/json" } = {}) {
  const content = body === undefined ? {} : { body, headers: { "Content-Type": type } };
  const response = await fetch(`http://127.0.0.1:${server.address().port}${path}`, { method, ...content });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
}

const send = (method, path, value) => ask(path, { method, body: JSON.stringify(value) });

beforeEach((context, done) => {
  server?.close();
  server = createApp().listen(0, "127.0.0.1", done);
});
after(() => server.close());

describe("parts", () => {
  it("can be read once they were added", async () => {
    const added = await send("POST", "/api/v1/parts", BOLT);
    assert.equal(added.status, 201);
    assert.deepEqual((await ask(added.headers.get("Location"))).json(), added.json());
    assert.deepEqual(added.json().data, { id: 41, ...BOLT });
  });

  it("are listed page by page", async () => {
    const first = (await ask("/api/v1/parts?limit=2")).json();
    const second = (await ask("/api/v1/parts?limit=2&offset=2")).json();
    assert.deepEqual([...first.data, ...second.data].map((part) => part.id), [1, 2, 3, 4]);
    assert.deepEqual(second.page, { limit: 2, offset: 2, total: 40 });
  });

  it("can be changed", async () => {
    assert.deepEqual((await send("PUT", "/api/v1/parts/1", BOLT)).json().data, { id: 1, ...BOLT });
    assert.equal((await send("PUT", "/api/v1/parts/77", BOLT)).status, 404);
  });

  it("are gone once they were removed", async () => {
    assert.equal((await ask("/api/v1/parts/1", { method: "DELETE" })).status, 204);
    assert.equal((await ask("/api/v1/parts/1")).status, 404);
    assert.equal((await ask("/api/v1/parts/1", { method: "DELETE" })).status, 404);
  });

  it("are counted by what comes in and goes out", async () => {
    const move = (change) => send("POST", "/api/v1/parts/4/movements", { change });
    assert.equal((await move(-12)).json().data.count, 0);
    assert.equal((await move(-1)).status, 409);
    assert.equal((await move(5)).json().data.count, 5);
  });
});

describe("what makes no sense is refused", () => {
  const bodies = [
    null,
    [],
    {},
    "part",
    { ...BOLT, name: "" },
    { ...BOLT, name: 7 },
    { ...BOLT, shelf: "x".repeat(11) },
    { ...BOLT, count: -1 },
    { ...BOLT, count: 1.5 },
    { ...BOLT, count: "3" },
    { ...BOLT, colour: "black" },
  ];
  for (const body of bodies) {
    it(`as a part: ${JSON.stringify(body)}`, async () => {
      const response = await send("POST", "/api/v1/parts", body);
      assert.equal(response.status, 422);
      assert.ok(response.json().error.message);
    });
  }

  for (const path of ["?limit=0", "?limit=101", "?limit=x", "?offset=-1", "?limit=1&limit=2", "/0", "/x", "/99999999999"]) {
    it(`as a number: ${path}`, async () => assert.equal((await ask(`/api/v1/parts${path}`)).status, 422));
  }
});

describe("errors have one shape", () => {
  const requests = {
    400: ["/api/v1/parts", { method: "POST", body: "{" }],
    404: ["/nowhere"],
    405: ["/api/v1/parts", { method: "PATCH" }],
    413: ["/api/v1/parts", { method: "POST", body: "x".repeat(70_000) }],
    415: ["/api/v1/parts", { method: "POST", body: "{}", type: "text/plain" }],
  };
  for (const [status, request] of Object.entries(requests)) {
    it(`as for ${status}`, async () => {
      const response = await ask(...request);
      assert.equal(response.status, Number(status));
      assert.equal(response.json().error.status, Number(status));
    });
  }
});

it("describes itself", async () => {
  assert.equal((await ask("/health")).json().status, "ok");
  assert.deepEqual(Object.keys((await ask("/openapi.json")).json().paths), [
    "/health",
    "/api/v1/parts",
    "/api/v1/parts/{part_id}",
    "/api/v1/parts/{part_id}/movements",
  ]);
});

describe("trouble", () => {
  const switches = { CRASH_ON: "3", NEVER_READY: "1", GARBAGE_OPENAPI: "1", SLOW_MS: "1" };
  before(() => Object.assign(process.env, switches));
  after(() => Object.keys(switches).forEach((name) => delete process.env[name]));

  it("can be switched on", async (context) => {
    context.mock.method(console, "error", () => {});
    assert.equal((await ask("/api/v1/parts/2")).status, 200);
    assert.equal((await ask("/api/v1/parts/3")).json().error.message, "Something went wrong on our side.");
    assert.equal((await ask("/api/v1/parts")).status, 200);
    assert.equal((await ask("/health")).status, 503);
    assert.ok((await ask("/openapi.json")).text.endsWith("{"));
    await slowStart();
  });

  it("ends the process", async (context) => {
    context.mock.method(console, "error", () => {});
    const exit = context.mock.method(process, "exit", () => {});
    process.env.DIE_AFTER_REQUESTS = "2";
    await ask("/health");
    await ask("/health");
    assert.equal(exit.mock.callCount(), 0);
    await ask("/health");
    delete process.env.DIE_AFTER_REQUESTS;
    assert.deepEqual(exit.mock.calls[0].arguments, [3]);
  });
});
