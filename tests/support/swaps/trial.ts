/**
 * One vault over a real KMS with three regions, with a hand in each of its two databases. After each change every record
 * is read by a vault that has everything in memory and by one that has nothing, and written once; then the key store is
 * made right again, and what was written must be its own person's. A result is right, or a refusal with a code: anything
 * else fails the trial, and names the change.
 */
import assert from "node:assert/strict";
import { isVaultError, openVault } from "@strongroom/vault";
import type { Keyring } from "@strongroom/envelope";
import type { KeyStore, Scope, Store, Vault, VaultRecord } from "@strongroom/vault";
import type { Change, Place } from "./changes.ts";
import type { Hand, Row } from "./hand.ts";
import { COLLECTIONS, documentOf, PEOPLE, TENANTS, writeSteps } from "./people.ts";
import type { CollectionName, TrialRecord } from "./people.ts";

/** Where a trial's rows lie: both stores, and a hand in each. */
export interface Databases {
  readonly records: Store;
  readonly keys: KeyStore;
  /** Hands that see what lies there when they are asked for. */
  readonly hand: (place: Place) => Promise<Hand>;
}

/** What became of a change: the codes that refused something, and whether the database itself took no such row. */
export type Outcome =
  { readonly kind: "refused"; readonly codes: readonly string[] } | { readonly kind: "right" | "no-such-row" };

/** What a trial is made of. */
export interface TrialOptions {
  readonly scope: Scope;
  /** Of the records, and of the key store. */
  readonly keyrings: Readonly<Record<Place, Keyring>>;
  readonly databases: Databases;
  readonly records: readonly TrialRecord[];
}

/** The vault of a trial, with its rows as they were written. */
export class Trial {
  readonly hands: Readonly<Record<Place, Hand>>;
  readonly #options: TrialOptions;
  readonly #warm: Vault;

  private constructor(options: TrialOptions, warm: Vault, hands: Readonly<Record<Place, Hand>>) {
    this.#options = options;
    this.#warm = warm;
    this.hands = hands;
  }

  /** Writes the records, and reads each of them with a vault that goes on. */
  static async begin(options: TrialOptions): Promise<Trial> {
    const { databases, records, scope } = options;
    const [first, second] = [records.map((record) => ({ ...record, versions: 1 })), records];
    const writer = await vaultOver(options);
    await writeSteps(writer, first, 1);
    await writer.close();
    const next = await vaultOver(options);
    if (scope !== "record")
      for (const person of ["ada", "grace"] as const) await next.subjects.renewKey(person, { tenant: TENANTS[person] });
    await writeSteps(next, second, 2);
    await next.close();
    const trial = new Trial(options, await vaultOver(options), {
      records: await databases.hand("records"),
      keys: await databases.hand("keys"),
    });
    const codes = new Set<string>();
    await trial.#readAll(trial.#warm, options.records, codes, "before anything was changed");
    assert.deepEqual(codes, new Set());
    return trial;
  }

  async close(): Promise<void> {
    await this.#warm.close();
    await this.hands.records.close();
    await this.hands.keys.close();
  }

  /** Makes one change, looks what becomes of it, and takes it back. @throws AssertionError that names it */
  async play(change: Change): Promise<Outcome> {
    try {
      for (const place of PLACES) await this.hands[place].edit(change.edits.filter((edit) => edit.place === place));
    } catch {
      await this.#restore();
      return { kind: "no-such-row" };
    }
    const codes = new Set<string>();
    try {
      const touched = touchedBy(change, this.hands.records);
      const records = this.#options.records.filter((_, index) => touched?.has(index) ?? true);
      const read = (vault: Vault, when: string): Promise<void> => this.#readAll(vault, records, codes, when);
      const write = (vault: Vault, when: string): Promise<void> => this.#writeAll(vault, records, codes, when);
      await read(this.#warm, `${wordsOf(change)}, read from memory`);
      // Rows of records are in no memory: what a vault knows of keys makes no difference to them.
      if (touched === null) {
        await this.#anew(codes, `${wordsOf(change)}, read anew`, read);
        await this.#anew(codes, `${wordsOf(change)}, written anew`, write);
      } else await write(this.#warm, `${wordsOf(change)}, written`);
    } finally {
      await this.#restore();
    }
    return codes.size === 0 ? { kind: "right" } : { kind: "refused", codes: [...codes].sort() };
  }

  async #restore(): Promise<void> {
    for (const place of PLACES) await this.hands[place].restore();
  }

  /** With a vault that has nothing in memory. */
  async #anew(codes: Set<string>, when: string, work: (vault: Vault, when: string) => Promise<void>): Promise<void> {
    const opened = await outcomeOf(() => vaultOver(this.#options), when);
    if ("code" in opened) codes.add(opened.code);
    else
      try {
        await work(opened.result, when);
      } finally {
        await opened.result.close();
      }
  }

  /** Adds the codes of what was refused. @throws AssertionError where an answer is not the record's own */
  async #readAll(vault: Vault, records: readonly TrialRecord[], codes: Set<string>, when: string): Promise<void> {
    await eachOf(records, async (record) => {
      const read = await outcomeOf(() => vault.get(record), when);
      if ("code" in read) codes.add(read.code);
      else requireOwn(read.result, record, record.versions, when);
    });
    // A list of public ids shows what lies in the database; one of sealed ids opens each.
    const list = await outcomeOf(() => vault.list(SEALED), when);
    if ("code" in list) {
      codes.add(list.code);
      return;
    }
    for (const { code } of list.result.damaged ?? []) codes.add(code);
    const listed = list.result.items.map(({ id }) => id);
    const own = new Set(this.#options.records.flatMap(({ collection, id }) => (collection === SEALED ? [id] : [])));
    assert.equal(new Set(listed).size, listed.length, `${when}: an id is listed twice`);
    assert.deepEqual(
      listed.filter((id) => !own.has(id)),
      [],
      `${when}: listed ids`,
    );
  }

  /**
   * Writes a new record of each person, and each record once more. Then the key store is made right again, and what was
   * acknowledged must be its own person's: it opens under that person's true key, which a vault has in memory, and is
   * about them. Or it lies under a key that was made meanwhile, which nobody else's data lies under.
   */
  async #writeAll(vault: Vault, records: readonly TrialRecord[], codes: Set<string>, when: string): Promise<void> {
    const written: TrialRecord[] = [];
    const fresh = PEOPLE.map((person): TrialRecord => ({
      collection: "orders",
      id: `${person}-new`,
      person,
      about: [],
      versions: 0,
    }));
    await eachOf([...fresh, ...records], async (record) => {
      const put = await outcomeOf(() => vault.put(record, documentOf(record, record.versions + 1)), when);
      if ("code" in put) codes.add(put.code);
      else written.push(record);
    });
    await this.hands.keys.restore();
    await eachOf(written, async (record) => {
      const why = `${when}, and read with the true keys: ${nameOf(record)}`;
      const read = await outcomeOf(() => this.#warm.get(record), why);
      if ("code" in read) assert.ok(MADE_MEANWHILE.has(read.code), `${why}: ${read.code}`);
      else requireOwn(read.result, record, record.versions + 1, why);
    });
  }
}

/**
 * Numbers of the records whose rows a change touches, in the order in which they were written; null: rows of keys or of
 * people, which are behind all of them.
 */
function touchedBy({ edits }: Change, { tables }: Hand): ReadonlySet<number> | null {
  const rowsOf = (name: string): readonly Row[] => tables.find((table) => table.name === name)?.rows ?? [];
  const key = tables.find(({ name }) => name === "records")?.key[0] ?? "";
  const order = new Map(rowsOf("records").map((row, index) => [row[key], index]));
  const recordOf: Readonly<Record<string, (row: Row) => unknown>> = {
    records: (row) => row[key],
    heads: ({ record }) => record,
    versions: ({ record }) => record,
    version_subjects: ({ version_key: version }) =>
      rowsOf("versions").find((row) => row["key"] === version)?.["record"],
    links: ({ record }) => record,
  };
  const found = new Set<number>();
  for (const { place, table, gone } of edits)
    for (const row of gone) {
      const index = place === "records" ? order.get(recordOf[table]?.(row)) : undefined;
      if (index === undefined) return null;
      found.add(index);
    }
  return found;
}

/**
 * A read gave the document of that step, about those whom the record is about. Where a write did not find the record at
 * its address any more, it made a new one, which is about the declared person alone.
 *
 * @throws AssertionError
 */
function requireOwn(
  { document, subject, about = [], version }: VaultRecord,
  record: TrialRecord,
  step: number,
  when: string,
): void {
  const expected = version === 1 && step > record.versions ? [] : record.about;
  assert.deepEqual(
    { document, subject, about: about.toSorted() },
    { document: documentOf(record, step), subject: record.person, about: expected.toSorted() },
    `${when}: ${nameOf(record)}`,
  );
}

const SEALED: CollectionName = "patients";
const PLACES: readonly Place[] = ["records", "keys"];

/** What is said of a key, or of somebody, that the key store does not have. */
const MADE_MEANWHILE: ReadonlySet<string> = new Set(["subject-key-absent", "subject-name-absent"]);

const AT_ONCE = 8;

async function eachOf<T>(list: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = list.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function outcomeOf<T>(
  work: () => Promise<T>,
  when: string,
): Promise<{ readonly result: T } | { readonly code: string }> {
  try {
    return { result: await work() };
  } catch (error) {
    return { code: codeOf(error, when) };
  }
}

/** @throws AssertionError unless it is an error of the vault, in whose words nothing of a document is */
function codeOf(error: unknown, when: string): string {
  assert.ok(isVaultError(error), `${when}: ${error instanceof Error ? (error.stack ?? "") : String(error)}`);
  assert.doesNotMatch(`${error.message} ${JSON.stringify(error)}`, /what \w+\/.* holds/, when);
  return error.code;
}

/** Keys that it makes are of the first generation: another one is another key set, and goes by a run. */
async function vaultOver({ scope, keyrings, databases: { records, keys } }: TrialOptions): Promise<Vault> {
  return openVault({
    store: keptOpen(records),
    keyring: keyrings.records,
    keys: { store: keptOpen(keys), scope, keyring: keyrings.keys, generation: 1 },
    collections: COLLECTIONS,
  });
}

/** The store, for one vault after the other. */
function keptOpen<Kept extends Store | KeyStore>(store: Kept): Kept {
  const close = async (): Promise<void> => undefined;
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "close") return close;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

const nameOf = ({ collection, id }: TrialRecord): string => `${collection}/${id}`;

function wordsOf({ kind, edits }: Change): string {
  const rows = edits.flatMap(({ place, gone }) =>
    gone.map((row) => `${place} ${JSON.stringify(row, shortened).slice(0, 300)}`),
  );
  return `${kind}, of ${rows.join(" and ")}`;
}

function shortened(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  const { type, data } = (value ?? {}) as { readonly type?: unknown; readonly data?: { readonly length: number } };
  return type === "Buffer" ? `${data?.length ?? 0} bytes` : value;
}
