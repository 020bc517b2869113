// What a request must look like; anything else is refused with a sentence that says why.

export const LARGEST_INTEGER = 2 ** 31 - 1;

/** An error that is answered with its status and its message. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
    this.expose = true;
  }
}

/** Return the integer that a text stands for. */
export function integer(text, name, lowest, highest) {
  const value = typeof text === "string" && /^-?[0-9]{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(value >= lowest && value <= highest)) {
    throw new Refused(422, `${name} must be an integer from ${lowest} to ${highest}.`);
  }
  return value;
}

/** Return the JSON object in the body of the request, with no other fields than these. */
export function objectOfBody(request, fields) {
  if (!request.is("application/json")) {
    throw new Refused(415, "The body must be application/json.");
  }
  const body = request.body;
  if (body === null || typeof body !== "object" || Array.isArray(body)) {
    throw new Refused(422, "The body must be an object.");
  }
  const unknown = Object.keys(body).find((key) => !fields.includes(key));
  if (unknown !== undefined) {
    throw new Refused(422, "The body has a field that is not known here.");
  }
  return body;
}

/** Return the fields of a part in the body of the request. */
export function partOfBody(request) {
  const body = objectOfBody(request, ["name", "shelf", "count"]);
  if (!isText(body.name, 100)) throw new Refused(422, "name must be a text of 1 to 100 characters.");
  if (!isText(body.shelf, 10)) throw new Refused(422, "shelf must be a text of 1 to 10 characters.");
  if (body.count !== undefined) checkInteger(body.count, "count", 0, 1_000_000);
  return body;
}

/** Return by how much a count changes, from the body of the request. */
export function movementOfBody(request) {
  const body = objectOfBody(request, ["change"]);
  checkInteger(body.change, "change", -1000, 1000);
  return body.change;
}

function checkInteger(value, name, lowest, highest) {
  if (!Number.isInteger(value) || value < lowest || value > highest) {
    throw new Refused(422, `${name} must be an integer from ${lowest} to ${highest}.`);
  }
}

function isText(value, longest) {
  // Characters, not UTF-16 units: that is how the document counts.
  return typeof value === "string" && value.length > 0 && [...value].length <= longest;
}
