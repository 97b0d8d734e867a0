/**
 * The vault as a move uses it: read, write on a known version, list. The vault itself is one; a client of its service
 * is made one by whoever has it.
 */
import { isVaultError } from "../errors.ts";
import { ABOUT_ONE_ITEM } from "../records/batch-plan.ts";
import type { JsonObject } from "../records/document.ts";
import type { ActingVault } from "../vault.ts";

/** A record as it is stored. */
export interface StoredDocument {
  readonly version: number;
  readonly document: JsonObject;
}

/** A document on its way. */
export interface MovedDocument {
  readonly id: string;
  readonly document: JsonObject;
  /** Whom it is about; null: as the collection declares. */
  readonly subject: string | null;
}

/** What became of a write: `overtaken`: the record is not at the version that was expected. */
export type WriteOutcome = "made" | "overtaken" | { readonly refused: string };

/** Where a move leads. What is wrong with the vault as a whole is thrown, with the code of its error. */
export interface MoveTarget {
  /** Null: there is no such record. */
  read(id: string): Promise<StoredDocument | null>;
  /** Makes those records that are not there yet: outcomes by the order of the items; `overtaken`: it is there. */
  create(items: readonly MovedDocument[]): Promise<readonly WriteOutcome[]>;
  /** @param version that it must be at; null: it must not be there; `any`: whatever is there */
  put(item: MovedDocument, version: number | null | "any"): Promise<WriteOutcome>;
  /** Of a version; `any`: whatever is there, and `made` where there is none. */
  remove(id: string, version: number | "any"): Promise<WriteOutcome>;
  /** All ids, by pages. */
  ids(): AsyncIterable<readonly string[]>;
}

/** Codes of one item of a batch, and those that a write of its own has besides. */
const OF_ONE_RECORD: ReadonlySet<string> = new Set([...ABOUT_ONE_ITEM, "subject-held"]);

/**
 * Whether a refusal is about one record, and others may be taken.
 *
 * @example
 * ```ts
 * import { isOfOneRecord } from "@strongroom/vault/moving";
 *
 * console.log(isOfOneRecord("document-too-large"), isOfOneRecord("store-full")); // prints: true false
 * ```
 */
export const isOfOneRecord = (code: string): boolean => OF_ONE_RECORD.has(code) || code.startsWith("record-");

/**
 * A collection of an open vault.
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { DatabaseSync } from "node:sqlite";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault } from "@strongroom/vault";
 * import { memoryStore } from "@strongroom/vault/memory";
 * import { sqliteDatabase, vaultTarget } from "@strongroom/vault/moving";
 *
 * const app = new DatabaseSync(":memory:");
 * app.exec("create table people (id integer primary key, name text); insert into people values (1, 'Ada')");
 * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
 * await using vault = await openVault({ store: memoryStore(), keyring });
 * const database = sqliteDatabase(app);
 * const options = { database, target: (collection: string) => vaultTarget(vault, collection), opener: null };
 * const columns = [{ name: "name", holds: "values" }] as const;
 * const people = { name: "people", table: "people", key: "id", columns, collection: "people" };
 * const target = options.target(people.collection);
 * await target.put({ id: "1", document: { name: "Ada" }, subject: null }, null);
 * console.log((await target.read("1"))?.version); // prints: 1
 * ```
 */
export function vaultTarget(vault: ActingVault, collection: string): MoveTarget {
  const at = (id: string): { readonly collection: string; readonly id: string } => ({ collection, id });
  const whom = ({ subject }: MovedDocument): { readonly subject?: string } => (subject === null ? {} : { subject });
  return {
    read: async (id) => {
      const found = await unlessAbsent(vault.get(at(id)));
      return found === null ? null : { version: found.version, document: found.document };
    },
    create: async (items) => {
      const given = items.map((item) => ({ id: item.id, document: item.document, ...whom(item) }));
      const results = await vault.putMany(collection, given, { onExisting: "keep" });
      return results.map((result) =>
        result.outcome === "refused" ? { refused: result.code } : result.outcome === "created" ? "made" : "overtaken",
      );
    },
    put: (item, version) =>
      outcomeOf(() => vault.put(at(item.id), item.document, { ...whom(item), expect: expectation(version) })),
    remove: (id, version) =>
      outcomeOf(() =>
        version === "any"
          ? unlessAbsent(vault.remove(at(id)))
          : vault.remove(at(id), { expect: { kind: "version", version } }),
      ),
    ids: async function* () {
      let cursor: string | undefined;
      do {
        const page = await vault
          .list(collection, { limit: 500, ...(cursor === undefined ? {} : { cursor }) })
          .catch((error: unknown) => {
            if (isVaultError(error) && error.code === "collection-absent") return { items: [], next: null };
            throw error;
          });
        yield page.items.map(({ id }) => id);
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
    },
  };
}

/** Null: there is no such record. */
async function unlessAbsent<Result>(asked: Promise<Result>): Promise<Result | null> {
  try {
    return await asked;
  } catch (error) {
    if (isVaultError(error) && error.code === "record-absent") return null;
    throw error;
  }
}

function expectation(
  version: number | null | "any",
): { kind: "any" } | { kind: "absent" } | { kind: "version"; version: number } {
  if (version === "any") return { kind: "any" };
  return version === null ? { kind: "absent" } : { kind: "version", version };
}

async function outcomeOf(write: () => Promise<unknown>): Promise<WriteOutcome> {
  try {
    await write();
    return "made";
  } catch (error) {
    if (!isVaultError(error)) throw error;
    if (error.code === "version-conflict" || error.code === "record-contended" || error.code === "record-absent")
      return "overtaken";
    if (isOfOneRecord(error.code)) return { refused: error.code };
    throw error;
  }
}
