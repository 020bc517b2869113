// The parts of this process; they are gone when it is.

const FIRST = [
  { name: "Hexagon bolt M6×20", shelf: "A1", count: 400 },
  { name: "Washer M6", shelf: "A2", count: 900 },
  { name: "Ball bearing 608", shelf: "B1", count: 64 },
  { name: "V-belt A40", shelf: "C3", count: 12 },
];

export class Parts {
  #parts = new Map();
  #last = 0;

  constructor() {
    for (let round = 0; round < 10; round++) FIRST.forEach((fields) => this.add(fields));
  }

  /** Return one page of the parts, in the order they were added, and how many there are on all pages. */
  page(limit, offset) {
    return { parts: [...this.#parts.values()].slice(offset, offset + limit), total: this.#parts.size };
  }

  /** Return a part, or undefined when there is no such part. */
  get(id) {
    return this.#parts.get(id);
  }

  /** Add a part and return it. */
  add({ name, shelf, count = 0 }) {
    const part = { id: ++this.#last, name, shelf, count };
    this.#parts.set(part.id, part);
    return part;
  }

  /** Change all that is known of a part and return it. */
  change(id, { name, shelf, count = 0 }) {
    const part = { id, name, shelf, count };
    this.#parts.set(id, part);
    return part;
  }

  /** Remove a part and return whether there was one. */
  remove(id) {
    return this.#parts.delete(id);
  }
}
