/**
 * Which records the store has as somebody's, asked once for many records of the same person. Bounded: the links of
 * those who were asked for last are held.
 */
import type { Address } from "../records/address.ts";
import type { SubjectRows } from "../stores/store.ts";
import type { SubjectId } from "../stores/subjects.ts";

/** Links in memory, of all people together. */
const HELD = 100_000;
const PAGE = 1_000;

export class LinkedRecords {
  readonly #subjects: Pick<SubjectRows, "records">;
  readonly #held = new Map<SubjectId, ReadonlySet<string>>();
  #links = 0;

  constructor(subjects: Pick<SubjectRows, "records">) {
    this.#subjects = subjects;
  }

  /** Whether a record is among somebody's. What is not is asked for anew: it may have come since. */
  async has(person: SubjectId, { collection, id }: Address): Promise<boolean> {
    const link = linkOf(collection, id);
    const held = this.#held.get(person);
    if (held?.has(link) === true) return true;
    return (await this.#read(person)).has(link);
  }

  async #read(person: SubjectId): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    let after: Uint8Array | null = null;
    for (;;) {
      const page = await this.#subjects.records(person, { after, limit: PAGE });
      for (const { collection, id } of page) found.add(linkOf(collection, id));
      after = page.at(-1)?.position ?? null;
      if (after === null || page.length < PAGE) break;
    }
    this.#hold(person, found);
    return found;
  }

  #hold(person: SubjectId, found: ReadonlySet<string>): void {
    this.#drop(person);
    for (const [other] of this.#held) {
      if (this.#links + found.size <= HELD) break;
      this.#drop(other);
    }
    this.#held.set(person, found);
    this.#links += found.size;
  }

  #drop(person: SubjectId): void {
    this.#links -= this.#held.get(person)?.size ?? 0;
    this.#held.delete(person);
  }
}

/** No collection has a slash. */
const linkOf = (collection: string, id: string): string => `${collection}/${id}`;
