// A digest over the set of all rows, so that a row that is removed, or an older one that is put back with its own MAC,
// shows as well. It is a sum: a change costs one subtraction and one addition, whatever the number of rows
// (MSet-Add-Hash of Clarke, Devadas, van Dijk, Gassend and Suh, "Incremental Multiset Hash Functions and Their
// Application to Memory Integrity Checking", 2003). A sum that is seen would let a subset of old rows be sought that
// adds up to it, so it is stored sealed; and sealed with it is where the audit ended at that commit, so that old rows
// with their old digest do not fit the audit.

import { randomBytes } from "node:crypto";
import { Sealer } from "../crypto/sealing.ts";
import type { Head } from "../audit/log.ts";
import { placeOf, rowIdentity, valueOf } from "./row-mac.ts";
import type { Row, RowKeys, RowMac, RowTable } from "./row-mac.ts";

const DIGEST = "strongroom-kms/row-digest";
const SALT = 32;

/** The sum over the rows of one table and region, modulo 2^256. */
export interface GroupSum {
  readonly table: RowTable;
  readonly region: string;
  readonly count: number;
  readonly sum: bigint;
  /** The same sum, each term times the number of the row's place: tells which row it was if one is not as it was. */
  readonly placed: bigint;
}

/** What a digest says. */
export interface RowDigest {
  readonly audit: Head;
  /** Name -> SHA-256 of the value, of what does not change in the table `meta`. */
  readonly meta: Readonly<Record<string, string>>;
  readonly groups: readonly GroupSum[];
}

interface Member {
  readonly table: RowTable;
  readonly identity: readonly string[];
  readonly owner: string;
  readonly hidden: bigint;
}

const modulo = (value: bigint): bigint => BigInt.asUintN(256, value);
const nameOf = (parts: readonly string[]): string => JSON.stringify(parts);

/** The rows that are in the database: what each adds to the sums, and the sums. */
export class RowSet {
  readonly #keys: RowKeys;
  readonly #members = new Map<string, Member>();
  /** Region and key id -> names of the rows that go when the key goes. */
  readonly #owned = new Map<string, Set<string>>();
  readonly #groups = new Map<string, { -readonly [Name in keyof GroupSum]: GroupSum[Name] }>();

  constructor(keys: RowKeys) {
    this.#keys = keys;
  }

  /** How many rows there are. */
  get size(): number {
    return this.#members.size;
  }

  /** The sums of all tables and regions that have rows. */
  get groups(): readonly GroupSum[] {
    return [...this.#groups.values()].filter(({ count }) => count > 0);
  }

  /** Every row's table and identity. */
  get members(): Iterable<Pick<Member, "table" | "identity">> {
    return this.#members.values();
  }

  /** Notes that a row is written, in the place of the one that has its identity, and gives its MAC. */
  put(table: RowTable, row: Row, { stored, hidden }: RowMac = this.#keys.rowMac(table, row)): Buffer {
    const identity = rowIdentity(table, row);
    const name = nameOf([table, ...identity]);
    this.#take(name);
    const owner = nameOf([row.region, String(valueOf(row, "key_id"))]);
    this.#members.set(name, { table, identity, owner, hidden });
    const owned = this.#owned.get(owner);
    if (owned === undefined) this.#owned.set(owner, new Set([name]));
    else owned.add(name);
    this.#add(table, identity, hidden, 1);
    return stored;
  }

  /** Notes that the row with this identity is removed. */
  remove(table: RowTable, identity: readonly string[]): void {
    this.#take(nameOf([table, ...identity]));
  }

  /** Notes that all rows of a key are removed from a table. */
  removeOwned(table: RowTable, region: string, keyId: string): void {
    for (const name of this.#owned.get(nameOf([region, keyId])) ?? [])
      if (this.#members.get(name)?.table === table) this.#take(name);
  }

  #take(name: string): void {
    const member = this.#members.get(name);
    if (member === undefined) return;
    this.#members.delete(name);
    const owned = this.#owned.get(member.owner);
    owned?.delete(name);
    if (owned?.size === 0) this.#owned.delete(member.owner);
    this.#add(member.table, member.identity, -member.hidden, -1);
  }

  #add(table: RowTable, identity: readonly string[], term: bigint, count: 1 | -1): void {
    const region = identity[0] ?? "";
    const name = `${table} ${region}`;
    const group = this.#groups.get(name) ?? { table, region, count: 0, sum: 0n, placed: 0n };
    this.#groups.set(name, group);
    group.count += count;
    group.sum = modulo(group.sum + term);
    group.placed = modulo(group.placed + term * placeOf(table, identity));
  }
}

/** Seals a digest: salt (32) | sealed (crypto/sealing.ts) under a key that the salt makes, which seals nothing else. */
export function sealDigest(keys: RowKeys, { audit, meta, groups }: RowDigest): Buffer {
  const salt = randomBytes(SALT);
  const text = JSON.stringify({
    audit: [audit.size, Buffer.from(audit.root).toString("base64")],
    meta,
    groups: groups.map(({ table, region, count, sum, placed }) => [
      table,
      region,
      count,
      sum.toString(16),
      placed.toString(16),
    ]),
  });
  const sealer = new Sealer(keys.digestKey(salt));
  const sealed = sealer.seal(Buffer.from(text), DIGEST);
  sealer.close();
  return Buffer.concat([salt, sealed]);
}

interface DigestText {
  readonly audit: readonly [size: number, root: string];
  readonly meta: Readonly<Record<string, string>>;
  readonly groups: readonly (readonly [table: RowTable, region: string, count: number, sum: string, placed: string])[];
}

/** What a sealed digest says; null if it was changed, or sealed under other keys. */
export function openDigest(keys: RowKeys, stored: Uint8Array): RowDigest | null {
  const sealer = new Sealer(keys.digestKey(stored.subarray(0, SALT)));
  const text = sealer.open(stored.subarray(SALT), DIGEST);
  sealer.close();
  if (text === null) return null;
  const { audit, meta, groups } = JSON.parse(text.toString("utf8")) as DigestText;
  return {
    audit: { size: audit[0], root: Buffer.from(audit[1], "base64") },
    meta,
    groups: groups.map(([table, region, count, sum, placed]) => ({
      table,
      region,
      count,
      sum: BigInt(`0x${sum}`),
      placed: BigInt(`0x${placed}`),
    })),
  };
}
