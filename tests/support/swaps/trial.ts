/**
 * One vault over a real KMS with three regions, with a hand in each of its two databases. After each change every record
 * is read by a vault that has everything in memory and by one that has nothing, and written once; then the key store is
 * made right again, and what was written must be its own person's. A result is right, or a refusal with a code: anything
 * else fails the trial, and names the change.
 */
import assert from "node:assert/strict";
import { isVaultError, openVault } from "@strongroom/vault";
import type { Keyring } from "@strongroom/envelope";
import type { JsonObject, KeyStore, Scope, Store, Vault } from "@strongroom/vault";
import type { Change, Place } from "./changes.ts";
import type { Hand } from "./hand.ts";
import { COLLECTIONS, documentOf, PEOPLE, TENANTS, writeSteps } from "./people.ts";
import type { TrialRecord } from "./people.ts";

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
  /** What each of the records holds, by its address. */
  readonly #newest: ReadonlyMap<string, JsonObject>;

  private constructor(options: TrialOptions, warm: Vault, hands: Readonly<Record<Place, Hand>>) {
    this.#options = options;
    this.#warm = warm;
    this.hands = hands;
    this.#newest = new Map(options.records.map((record) => [nameOf(record), documentOf(record, record.versions)]));
  }

  /** Writes the records, and reads each of them with a vault that goes on. */
  static async begin(options: TrialOptions): Promise<Trial> {
    const { databases, records, scope } = options;
    const [first, second] = [records.map((record) => ({ ...record, versions: 1 })), records];
    const writer = await vaultOver(options, 1);
    await writeSteps(writer, first, 1);
    await writer.close();
    const next = await vaultOver(options, 2);
    if (scope !== "record")
      for (const person of ["ada", "grace"] as const) await next.subjects.renewKey(person, { tenant: TENANTS[person] });
    await writeSteps(next, second, 2);
    await next.close();
    const trial = new Trial(options, await vaultOver(options), {
      records: await databases.hand("records"),
      keys: await databases.hand("keys"),
    });
    assert.deepEqual(await trial.#readAll(trial.#warm, "before anything was changed"), new Set());
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
    try {
      const codes = await this.#readAll(this.#warm, `${wordsOf(change)}, read from memory`);
      for (const code of await this.#fresh(change)) codes.add(code);
      return codes.size === 0 ? { kind: "right" } : { kind: "refused", codes: [...codes].sort() };
    } finally {
      await this.#restore();
    }
  }

  async #restore(): Promise<void> {
    for (const place of PLACES) await this.hands[place].restore();
  }

  /** Reads and writes with a vault that has nothing in memory. */
  async #fresh(change: Change): Promise<ReadonlySet<string>> {
    const codes = new Set<string>();
    const vault = await vaultOver(this.#options).catch((error: unknown) => {
      codes.add(codeOf(error, `${wordsOf(change)}, opened anew`));
      return null;
    });
    if (vault === null) return codes;
    let written: ReadonlyMap<TrialRecord, JsonObject>;
    try {
      for (const code of await this.#readAll(vault, `${wordsOf(change)}, read anew`)) codes.add(code);
      written = await this.#writeAll(vault, change, codes);
    } finally {
      await vault.close();
    }
    await this.#requireOwn(change, written);
    return codes;
  }

  /** The codes of what was refused. @throws AssertionError where a document is not the record's own newest */
  async #readAll(vault: Vault, when: string): Promise<Set<string>> {
    const codes = new Set<string>();
    await eachOf(this.#options.records, async (record) => {
      const read = await outcomeOf(() => vault.get(record), when);
      if ("code" in read) {
        codes.add(read.code);
        return;
      }
      const { document, subject, about } = read.result;
      const own = {
        document: this.#newest.get(nameOf(record)),
        subject: record.person,
        about: [...record.about].sort(),
      };
      assert.deepEqual({ document, subject, about: [...(about ?? [])].sort() }, own, `${when}: ${nameOf(record)}`);
    });
    return codes;
  }

  /** Writes each record once more, and a new one of each person. What was acknowledged. */
  async #writeAll(vault: Vault, change: Change, codes: Set<string>): Promise<ReadonlyMap<TrialRecord, JsonObject>> {
    const written = new Map<TrialRecord, JsonObject>();
    const { records } = this.#options;
    const fresh = PEOPLE.map((person): TrialRecord => ({
      collection: "orders",
      id: `${person}-new`,
      person,
      about: [],
      versions: 0,
    }));
    await eachOf([...records, ...fresh], async (record) => {
      const document = documentOf(record, record.versions + 1);
      const put = await outcomeOf(() => vault.put(record, document), `${wordsOf(change)}, written`);
      if ("code" in put) codes.add(put.code);
      else written.set(record, document);
    });
    return written;
  }

  /**
   * With the key store as it was, each written record is its own person's: it opens under that person's true key, and is
   * about them. Or it lies under a key that was made meanwhile, which nobody else's data lies under.
   */
  async #requireOwn(change: Change, written: ReadonlyMap<TrialRecord, JsonObject>): Promise<void> {
    if (written.size === 0) return;
    await this.hands.keys.restore();
    const vault = await vaultOver(this.#options);
    try {
      await eachOf([...written], async ([record, document]) => {
        const when = `${wordsOf(change)}, written and read with the true keys: ${nameOf(record)}`;
        const read = await outcomeOf(() => vault.get(record), when);
        if ("code" in read) assert.ok(MADE_MEANWHILE.has(read.code), `${when}: ${read.code}`);
        else assert.deepEqual([read.result.document, read.result.subject], [document, record.person], when);
      });
    } finally {
      await vault.close();
    }
  }
}

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

/** Keys that it makes are of the second generation, unless it says otherwise. */
async function vaultOver(
  { scope, keyrings, databases: { records, keys } }: TrialOptions,
  generation: number = 2,
): Promise<Vault> {
  return openVault({
    store: keptOpen(records),
    keyring: keyrings.records,
    keys: { store: keptOpen(keys), scope, keyring: keyrings.keys, generation },
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
      return typeof value === "function" ? value.bind(target) : value;
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
