/**
 * What is known of somebody just before their keys go: the certificate says it, and nobody can find it out afterwards.
 */
import type { Dependencies } from "../limits.ts";
import { AUDIT_PROVIDER } from "../audit/audit-wrap.ts";
import { TENANT_PROVIDER } from "../keys/tenant-wrap.ts";
import type { Collection } from "../records/address.ts";
import type { KeyRead, KeyStore } from "../stores/key-store.ts";
import type { Scope, SubjectId } from "../stores/subjects.ts";
import type { Remainder } from "./certificate.ts";
import type { ErasedFacts } from "./person-files.ts";
import { recordsOfPerson } from "./shared-records.ts";

/** What facts are read from. */
export interface FactParts {
  readonly dependencies: Pick<Dependencies, "store" | "declarations">;
  readonly keyStore: Pick<KeyStore, "keys" | "inventory">;
  /** Of what new keys are wrapped under. */
  readonly generation: { readonly number: number; readonly isShared: boolean };
}

/** Wraps that no KMS has made: they die with what they are wrapped under. */
const LOCAL: ReadonlySet<string> = new Set([AUDIT_PROVIDER, TENANT_PROVIDER]);

/** Names that a certificate lists of one thing, so that it stays readable. */
const MOST_NAMED = 64;
/** And their bytes: a note that takes no more would stop the erasure. Of wrapping keys, and of each other thing. */
const KEY_BYTES = 5_000;
const NAME_BYTES = 2_000;
/** What stands beside the name of a key. */
const BESIDE_KEY = 64;

/** The first names that have room, and how many do not. */
export function namedWithin(
  of: readonly string[],
  bytes: number,
  beside = 4,
): { readonly named: readonly string[]; readonly more: number } {
  const sorted = [...of].sort();
  const named: string[] = [];
  let room = bytes;
  for (const name of sorted.slice(0, MOST_NAMED)) {
    room -= Buffer.byteLength(JSON.stringify(name)) + beside;
    if (room < 0) break;
    named.push(name);
  }
  return { named, more: sorted.length - named.length };
}

/** The same in words. */
function inRoom(of: readonly string[]): readonly string[] {
  const { named, more } = namedWithin(of, NAME_BYTES);
  return more === 0 ? named : [...named, `and ${more} more`];
}

/** @throws VaultError the stores' */
export async function knownFacts(parts: FactParts, id: SubjectId): Promise<ErasedFacts> {
  const { dependencies, keyStore } = parts;
  const collections = new Map<Collection, number>();
  let records = 0;
  for await (const { row } of recordsOfPerson(dependencies.store, id)) {
    collections.set(row.collection, (collections.get(row.collection) ?? 0) + 1);
    records++;
  }
  const versions = await keysOf(keyStore, id);
  const rows = versions.flatMap(({ key }) => key ?? []);
  const scopeOf = (collection: Collection): Scope => dependencies.declarations.of(collection).scope;
  const number = rows.reduce((most, { generation }) => Math.max(most, generation), parts.generation.number);
  const isShared = parts.generation.isShared || rows.some(({ generation }) => generation === 0);
  const keys = namedWithin(await wrappingKeys(keyStore), KEY_BYTES, BESIDE_KEY);
  const remains = await remainders(parts, [...collections.keys()], isShared);
  return {
    records,
    keys: versions.length,
    scopes: [...new Set([...collections.keys()].map(scopeOf))].sort(),
    generation: { number, isShared },
    wrappingKeys: keys.named.map((key) => ({ key, generation: number, state: "in-use", goneAt: null })),
    remains: [...remains, ...(keys.more === 0 ? [] : [unnamed(keys.more, isShared)])],
  };
}

/** All versions of somebody's keys of both kinds, as they lie there. */
export async function keysOf({ keys }: Pick<KeyStore, "keys">, id: SubjectId): Promise<readonly KeyRead[]> {
  const kinds = ["subject", "tenant-subject"] as const;
  return (await Promise.all(kinds.map((kind) => keys.versions({ kind, owner: id })))).flat();
}

/** Every key that a wrap of the key store has, or ever had: whoever has one and an old backup opens what is in it. */
async function wrappingKeys({ inventory }: Pick<KeyStore, "inventory">): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const { set } of await inventory.sets())
    for (const { provider, key } of set?.wraps ?? []) if (!LOCAL.has(provider)) names.add(key);
  return [...names];
}

/** That there are more of them than a certificate names. */
const unnamed = (more: number, isShared: boolean): Remainder => ({
  what: "wrapping-keys-not-named",
  diesWith: isShared ? "never" : "second-stage",
  of: [`${more} more`],
});

async function remainders(
  { dependencies: { store, declarations } }: FactParts,
  collections: readonly Collection[],
  isShared: boolean,
): Promise<readonly Remainder[]> {
  const inScope = (is: boolean): readonly string[] =>
    inRoom(collections.filter((collection) => (declarations.of(collection).scope === "record") === is));
  const { indexes } = await store.indexes.list();
  const tagged = indexes.filter(({ collection }) => collections.includes(collection));
  const found: readonly (Remainder | null)[] = [
    inScope(false).length === 0 ? null : { what: "messages-in-copies", diesWith: "key", of: inScope(false) },
    // What they were sealed under wraps other records too.
    inScope(true).length === 0 ? null : { what: "record-scope-messages", diesWith: "never", of: inScope(true) },
    { what: "wrapped-keys-in-copies", diesWith: isShared ? "never" : "second-stage", of: [] },
    tagged.length === 0
      ? null
      : {
          what: "tags-in-copies",
          diesWith: "never",
          of: inRoom([...new Set(tagged.map(({ collection, name }) => `${collection}.${name}`))]),
        },
    { what: "clear-columns-in-copies", diesWith: "never", of: ["collection", "ids", "sizes", "times"] },
    { what: "kms-logs", diesWith: "never", of: ["opaque id", "times"] },
    { what: "audit-entries", diesWith: "retention", of: ["record ids", "opaque id", "tickets"] },
    // By which every start knows of the erasure: they are not forgotten.
    { what: "audit-entries-of-erasure", diesWith: "never", of: ["opaque id", "tickets"] },
    { what: "handed-out", diesWith: "never", of: ["exports", "answers", "swap"] },
  ];
  return found.flatMap((one) => one ?? []);
}
