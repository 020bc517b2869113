// The HTTP interface of the stock.

import { readFileSync } from "node:fs";

import express from "express";

import { Parts } from "./parts.js";
import { LARGEST_INTEGER, Refused, integer, movementOfBody, partOfBody } from "./requests.js";
import { crashOn, slowDown, trouble } from "./trouble.js";

const DOCUMENT = readFileSync(new URL("openapi.json", import.meta.url));

/** Return the service with parts of its own. */
export function createApp() {
  const app = express();
  app.disable("x-powered-by");
  app.set("query parser", "simple");
  app.use(trouble());
  app.use(express.json({ strict: false, limit: "64kb" }));
  addOperations(app, new Parts());
  app.use((request, response, next) => next(new Refused(404, "There is nothing here.")));
  app.use(answerError);
  return app;
}

function addOperations(app, parts) {
  const existing = (request) => {
    const part = parts.get(integer(request.params.part_id, "part_id", 1, LARGEST_INTEGER));
    if (part === undefined) throw new Refused(404, `There is no part ${request.params.part_id}.`);
    return part;
  };

  app
    .route("/health")
    .get((request, response) => response.json({ status: "ok" }))
    .all(onlyMethods("GET", "HEAD"));

  app
    .route("/openapi.json")
    .get((request, response) => response.type("json").send(DOCUMENT))
    .all(onlyMethods("GET", "HEAD"));

  app
    .route("/api/v1/parts")
    .get(async (request, response) => {
      await slowDown();
      const limit = integer(request.query.limit ?? "20", "limit", 1, 100);
      const offset = integer(request.query.offset ?? "0", "offset", 0, LARGEST_INTEGER);
      const page = parts.page(limit, offset);
      response.json({ data: page.parts, page: { limit, offset, total: page.total } });
    })
    .post((request, response) => {
      const part = parts.add(partOfBody(request));
      response.status(201).location(`/api/v1/parts/${part.id}`).json({ data: part });
    })
    .all(onlyMethods("GET", "HEAD", "POST"));

  app
    .route("/api/v1/parts/:part_id")
    .get((request, response) => {
      crashOn(request.params.part_id);
      response.json({ data: existing(request) });
    })
    .put((request, response) => {
      const fields = partOfBody(request);
      response.json({ data: parts.change(existing(request).id, fields) });
    })
    .delete((request, response) => {
      parts.remove(existing(request).id);
      response.status(204).end();
    })
    .all(onlyMethods("GET", "HEAD", "PUT", "DELETE"));

  app
    .route("/api/v1/parts/:part_id/movements")
    .post((request, response) => {
      const change = movementOfBody(request);
      const part = existing(request);
      if (part.count + change < 0) throw new Refused(409, `There are only ${part.count} of part ${part.id}.`);
      response.status(201).json({ data: parts.change(part.id, { ...part, count: part.count + change }) });
    })
    .all(onlyMethods("POST"));
}

function onlyMethods(...methods) {
  return (request, response) => {
    response.set("Allow", methods.join(", "));
    throw new Refused(405, `${request.method} is not possible here.`);
  };
}

// Express tells an error handler by its four parameters.
function answerError(error, request, response, next) {
  const status = error.status ?? 500;
  if (status >= 500) console.error(error);
  const message = status >= 500 ? "Something went wrong on our side." : error.message;
  response.status(status).json({ error: { status, message } });
}
