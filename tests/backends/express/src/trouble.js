// Trouble on purpose, switched on by environment variables; see README.md.

import { setTimeout as sleep } from "node:timers/promises";

/** Keep everybody waiting before the service listens. */
export const slowStart = () => sleep(Number(process.env.SLOW_START ?? 0) * 1000);

/** Take longer than needed. */
export async function slowDown() {
  if (process.env.SLOW_MS) await sleep(Number(process.env.SLOW_MS));
}

/** Crash for one input. */
export function crashOn(value) {
  if (String(value) === process.env.CRASH_ON) throw new Error(`${value} was too much for the stock`);
}

/** Return a middleware that dies, is never ready, or describes the service in garbage. */
export function trouble() {
  let requests = 0;
  return (request, response, next) => {
    if (process.env.DIE_AFTER_REQUESTS !== undefined && requests++ === Number(process.env.DIE_AFTER_REQUESTS)) {
      console.error("The stock was stolen.");
      process.exit(3);
    }
    if (process.env.NEVER_READY && request.path === "/health") {
      response.status(503).json({ error: { status: 503, message: "The stock is not counted yet." } });
    } else if (process.env.GARBAGE_OPENAPI && request.path === "/openapi.json") {
      response.type("json").send('{"openapi": "3.1.0", "paths": {');
    } else {
      next();
    }
  };
}
