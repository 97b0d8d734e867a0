/**
 * What was written while a rotation went on, and what of it is there: by record and version, and the SHA-256 of what
 * was written.
 */
import { createHash, randomUUID } from "node:crypto";
import { isVaultError } from "@strongroom/vault";
import type { JsonObject, Vault } from "@strongroom/vault";
import { COLLECTIONS } from "./rotated-place.ts";
import type { ScopedCollection } from "./rotated-place.ts";

/** A write that was begun. */
export interface Begun {
  readonly collection: ScopedCollection;
  readonly id: string;
  readonly hash: string;
}

/** A line of whoever writes and reads. Of a write there is one when it begins, and one when it has ended. */
export type TrafficLine =
  | (Begun & { readonly call: string })
  | { readonly call: string; readonly version: number }
  | { readonly call: string; readonly refused: string }
  /** A read was `right`, or this was wrong. */
  | { readonly read: string };

export interface Counted {
  /** Versions that were acknowledged, and that were not but are there. */
  readonly acknowledged: number;
  readonly unacknowledged: number;
  /** Acknowledged, and not there as they were written. */
  readonly lost: number;
  /** What was written once, and is there twice. */
  readonly doubled: number;
  /** There, and written by nobody as that record. */
  readonly mixed: number;
  /** There, and not to be opened. */
  readonly unreadable: number;
}

/** A document that is like no other, and says where it belongs. */
export function newDocument(collection: ScopedCollection, id: string): { document: JsonObject; hash: string } {
  const document = {
    of: `${collection}/${id}`,
    token: randomUUID(),
    text: "x".repeat(Math.floor(Math.random() * 200)),
  };
  return { document, hash: hashOf(document) };
}

export const hashOf = ({ of, token, text }: JsonObject): string =>
  createHash("sha256")
    .update(JSON.stringify([of, token, text]))
    .digest("hex");

/** Everything that was said to be written, of any number of processes. */
export class RotationLedger {
  /** Record -> hash -> the version that was acknowledged; null: none was. */
  readonly #records = new Map<string, Map<string, number | null>>();
  readonly #reads = new Map<string, number>();
  readonly #refused = new Map<string, number>();

  /** Lines of one process, from its beginning. */
  add(lines: readonly TrafficLine[]): void {
    const calls = new Map<string, Begun>();
    for (const line of lines) {
      if ("read" in line) count(this.#reads, line.read);
      else if ("hash" in line) {
        calls.set(line.call, line);
        this.#of(line).set(line.hash, null);
      } else if ("version" in line) {
        const begun = calls.get(line.call)!;
        this.#of(begun).set(begun.hash, line.version);
      } else count(this.#refused, line.refused);
    }
  }

  get reads(): ReadonlyMap<string, number> {
    return this.#reads;
  }

  get refused(): ReadonlyMap<string, number> {
    return this.#refused;
  }

  /** Opens every version of every record. */
  async check(vault: Vault): Promise<Counted> {
    const counted = { acknowledged: 0, unacknowledged: 0, lost: 0, doubled: 0, mixed: 0, unreadable: 0 };
    for (const collection of COLLECTIONS)
      for (const [name, written] of this.#records) {
        if (!name.startsWith(`${collection}/`)) continue;
        const address = { collection, id: name.slice(collection.length + 1) };
        const there = new Map<string, number>();
        const versions = await versionsOf(vault, address);
        for (const version of versions) {
          const hash = await vault.get(address, { version }).then(
            ({ document }) => hashOf(document),
            () => null,
          );
          if (hash === null) counted.unreadable++;
          else if (!written.has(hash)) counted.mixed++;
          else if (there.has(hash)) counted.doubled++;
          else there.set(hash, version);
        }
        for (const [hash, version] of written)
          if (version === null) counted.unacknowledged += there.has(hash) ? 1 : 0;
          else if (there.get(hash) === version) counted.acknowledged++;
          else counted.lost++;
      }
    return counted;
  }

  #of({ collection, id }: Begun): Map<string, number | null> {
    const name = `${collection}/${id}`;
    const found = this.#records.get(name) ?? new Map<string, number | null>();
    this.#records.set(name, found);
    return found;
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

async function versionsOf(vault: Vault, address: { collection: string; id: string }): Promise<readonly number[]> {
  try {
    return (await vault.history(address)).map(({ version }) => version);
  } catch (error) {
    if (isVaultError(error) && error.code === "record-absent") return [];
    throw error;
  }
}
