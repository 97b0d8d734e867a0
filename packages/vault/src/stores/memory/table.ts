/**
 * Rows by their key, and such rows on top of others.
 */

/** Rows by their key. */
export interface Table<Row> {
  readonly size: number;
  get(key: string): Row | undefined;
  set(key: string, row: Row): unknown;
}

/** Rows that nobody sees before they are committed, on top of a table or of other such rows. None is taken away. */
export class Overlay<Row> implements Table<Row> {
  readonly #below: Table<Row>;
  readonly #changed = new Map<string, Row>();
  #added = 0;

  constructor(below: Table<Row>) {
    this.#below = below;
  }

  get size(): number {
    return this.#below.size + this.#added;
  }

  get(key: string): Row | undefined {
    return this.#changed.get(key) ?? this.#below.get(key);
  }

  set(key: string, row: Row): void {
    if (this.get(key) === undefined) this.#added += 1;
    this.#changed.set(key, row);
  }

  commit(): void {
    for (const [key, row] of this.#changed) this.#below.set(key, row);
  }
}
