// The drill's own records, in a collection of their own: written, read and removed through the service. What a document
// holds follows from the seed, its id and a number, so that every answer can be compared with what was written without
// keeping it. Every other write is about somebody new: a key that is in memory asks no region.
import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { mapBounded } from "@strongroom/base/work";
import { type Client, isClientError, type JsonObject } from "@strongroom/client";
import { MULTI_REGION_DEFAULTS } from "@strongroom/envelope/aws-kms";
import { CliError } from "../errors.ts";
import { asCliError } from "../connection.ts";
import type { Clock, ReadCall, WriteCall } from "./figures.ts";
import { seededRandom } from "./load.ts";

/** What the records are made with. */
export interface RecordsOptions {
  readonly service: Pick<Client, "records">;
  readonly collection: string;
  readonly seed: number;
  /** How many ids there are at first; each has many versions. */
  readonly ids: number;
  readonly clock: Clock;
}

/** An acknowledged version and the number that its document was made from. */
interface Acknowledged {
  readonly id: string;
  readonly version: number;
  readonly number: number;
}

/** What came of reading every acknowledged version. */
export interface ReadBack {
  readonly versions: number;
  /** Versions that did not come back equal, and why: code -> how many. */
  readonly problems: Readonly<Record<string, number>>;
}

/** Ids of a drill; others in the collection are not a drill's, and are not touched. */
const OWN_ID = /^drill-(?:[0-9a-f]{8}-)?\d{4,}$/;
/** No more than a region is always asked at once: what reads back is to be seen, not what an overload does. */
const AT_ONCE = MULTI_REGION_DEFAULTS.callsAtOnceMin;

const INTERRUPTED = "interrupted";
/** Too few regions made a wrap, or had made one when the time was over: nothing was stored, and the answer says so. */
const REFUSED: ReadonlySet<string> = new Set(["wraps-below-minimum", "deadline-exceeded"]);
/** Also of what is no document at all. */
const NOT_EQUAL = "not-equal";

/** The records of one drill. */
export class DrillRecords {
  readonly #options: RecordsOptions;
  /** Of records that are there. */
  readonly #ids: string[];
  /** Of another drill, somebody by this name may have a key already. */
  readonly #run: string = randomBytes(4).toString("hex");
  readonly #random: () => number;
  readonly #acknowledged: Acknowledged[] = [];
  /** Id -> number of its newest acknowledged document. */
  readonly #newest = new Map<string, number>();
  readonly #beingWritten = new Set<string>();
  /** Ids of which a write ended without a word on whether it was stored. */
  readonly #unanswered = new Set<string>();
  #numbers = 0;
  #turn = 0;
  #writes = 0;
  #newPeople = 0;

  constructor(options: RecordsOptions) {
    this.#options = options;
    this.#ids = Array.from({ length: options.ids }, (_, index) => `drill-${String(index).padStart(4, "0")}`);
    this.#random = seededRandom(options.seed);
  }

  /** Versions acknowledged so far. */
  get acknowledged(): number {
    return this.#acknowledged.length;
  }

  /** Writes every id once. Throws what the service says if it does not acknowledge one. */
  async create(): Promise<void> {
    await mapBounded(this.#ids, AT_ONCE, async (id) => {
      await this.#put(id);
    });
  }

  /** Reads one of the records. Null where the drill was interrupted meanwhile. */
  async read(): Promise<ReadCall | null> {
    const id = this.#ids[Math.floor(this.#random() * this.#ids.length)] ?? "";
    const oldest = this.#newest.get(id) ?? 0;
    const startedAt = this.#options.clock();
    const code = await this.#options.service.records
      .get(this.#options.collection, id)
      .then(({ document }) => this.#problemOf(document, id, oldest), codeOf);
    if (code === INTERRUPTED) return null;
    return {
      kind: "read",
      outcome: code === null ? "ok" : "failed",
      code,
      startedAt,
      elapsedMs: this.#options.clock() - startedAt,
    };
  }

  /** People who were written about: each has a key. */
  get people(): number {
    return this.#ids.length;
  }

  /**
   * Writes, in turn, the first record about somebody new and a new version of the next record; with all of them being
   * written, reads one. Null where the drill was interrupted meanwhile.
   */
  async write(): Promise<ReadCall | WriteCall | null> {
    const isNew = this.#writes++ % 2 === 0;
    const id = isNew ? this.#newId() : this.#nextId();
    if (id === null) return this.read();
    this.#beingWritten.add(id);
    const startedAt = this.#options.clock();
    const { code, stored, missing } = await this.#put(id).catch((error: unknown) => ({
      code: codeOf(error),
      stored: 0,
      missing: [],
    }));
    this.#beingWritten.delete(id);
    if (code !== null && !REFUSED.has(code)) this.#unanswered.add(id);
    if (isNew && code === null) this.#ids.push(id);
    if (code === INTERRUPTED) return null;
    return {
      kind: "write",
      isNew,
      outcome: code === null ? "ok" : REFUSED.has(code) ? "refused" : "failed",
      code,
      stored,
      missing,
      startedAt,
      elapsedMs: this.#options.clock() - startedAt,
    };
  }

  /** Reads every acknowledged version and compares it with what was written. */
  async readBack(): Promise<ReadBack> {
    const problems: Record<string, number> = {};
    await mapBounded(this.#acknowledged, AT_ONCE, async ({ id, version, number }) => {
      const problem = await this.#options.service.records
        .version(this.#options.collection, id, version)
        .then(({ document }) => this.#problemOf(document, id, number, number), codeOf);
      if (problem !== null) problems[problem] = (problems[problem] ?? 0) + 1;
    });
    return { versions: this.#acknowledged.length, problems };
  }

  /** Versions that were stored and not acknowledged, as by a process that died before it could answer. */
  async unacknowledged(): Promise<number> {
    const { collection, service } = this.#options;
    const counts = await mapBounded([...this.#unanswered], AT_ONCE, async (id) => {
      const known = new Set(this.#acknowledged.flatMap((one) => (one.id === id ? [one.version] : [])));
      const stored = await service.records.history(collection, id).catch(noneWhereAbsent);
      return stored.filter(({ version }) => !known.has(version)).length;
    });
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async #put(
    id: string,
  ): Promise<{ readonly code: null; readonly stored: number; readonly missing: readonly string[] }> {
    const number = ++this.#numbers;
    const { collection, service } = this.#options;
    const { version, wraps } = await service.records.put(collection, id, this.#document(id, number));
    this.#acknowledged.push({ id, version, number });
    this.#newest.set(id, Math.max(number, this.#newest.get(id) ?? 0));
    return { code: null, stored: wraps.stored, missing: wraps.missing };
  }

  #newId(): string {
    return `drill-${this.#run}-${String(this.#newPeople++).padStart(4, "0")}`;
  }

  /** The next record in turn that is not being written. */
  #nextId(): string | null {
    const free = (id: string | undefined): boolean => id !== undefined && !this.#beingWritten.has(id);
    const inTurn = [...this.#ids.slice(this.#turn), ...this.#ids.slice(0, this.#turn)];
    const id = inTurn.find(free) ?? null;
    if (id !== null) this.#turn = (this.#ids.indexOf(id) + 1) % this.#ids.length;
    return id;
  }

  #document(id: string, number: number): Readonly<Record<string, unknown>> {
    const random = seededRandom(this.#options.seed ^ Math.imul(number, 0x9e3779b1));
    return { id, number, filler: Array.from({ length: 16 }, () => Math.floor(random() * 2 ** 32)) };
  }

  /** Null where it is a document of this id, of a number from `oldest` to `latest`. */
  #problemOf(document: JsonObject, id: string, oldest: number, latest = Infinity): string | null {
    const number = typeof document["number"] === "number" ? document["number"] : -1;
    const fits = number >= oldest && number <= latest && isDeepStrictEqual(document, this.#document(id, number));
    return fits ? null : NOT_EQUAL;
  }
}

/**
 * Removes what a drill left behind. Throws `drill-collection-in-use` where somebody else's records lie there, before
 * anything is removed.
 */
export async function removeDrillRecords({ records }: Pick<Client, "records">, collection: string): Promise<number> {
  const listed = await records.list(collection).all().catch(noneWhereAbsent);
  const ids = listed.map(({ id }) => id);
  if (!ids.every((id) => OWN_ID.test(id))) {
    throw new CliError("drill-collection-in-use", {
      detail: `The collection ${collection} holds records that are not a drill's.`,
    });
  }
  await mapBounded(ids, AT_ONCE, async (id) => {
    await records.remove(collection, id);
  });
  return ids.length;
}

function noneWhereAbsent(error: unknown): readonly never[] {
  if (isClientError(error) && error.outcome === "absent") return [];
  throw error;
}

/** The code that the command shows for an error of the service. */
function codeOf(error: unknown): string {
  if (isClientError(error) && error.code === "unintelligible") return NOT_EQUAL;
  const told = asCliError(error);
  if (told instanceof CliError) return told.reportedCode;
  throw told;
}
