/**
 * Writes and reads beside a rotation, of records in every scope, new ones and old ones.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { isVaultError } from "@strongroom/vault";
import type { Vault } from "@strongroom/vault";
import { COLLECTIONS } from "./rotated-place.ts";
import type { ScopedCollection } from "./rotated-place.ts";
import { hashOf, newDocument } from "./rotation-ledger.ts";
import type { TrafficLine } from "./rotation-ledger.ts";

const NEW_ONE = 0.3;

export interface Traffic {
  /** Of each collection, written again and again. */
  readonly records: number;
  readonly say: (line: TrafficLine) => void;
  /** Between two calls, at most. */
  readonly pauseMs: number;
  /** Nothing more is begun after it. Left out: it goes on for ever. */
  readonly stop?: AbortSignal;
}

export const oldId = (n: number): string => `r${n}`;

/** One that writes. */
export async function writes(vault: Vault, { records, say, pauseMs, stop }: Traffic): Promise<void> {
  while (stop?.aborted !== true) {
    const id = Math.random() < NEW_ONE ? randomUUID() : anOldId(records);
    await write(vault, { collection: aCollection(), id }, say);
    await sleep(Math.random() * pauseMs);
  }
}

export async function write(
  vault: Vault,
  { collection, id }: { readonly collection: ScopedCollection; readonly id: string },
  say: Traffic["say"],
): Promise<void> {
  const call = randomUUID();
  const { document, hash } = newDocument(collection, id);
  say({ call, collection, id, hash });
  try {
    const { version } = await vault.put({ collection, id }, document);
    say({ call, version });
  } catch (error) {
    say({ call, refused: codeOf(error) });
  }
}

/** One that reads: what it is given is of the record that it asked for. */
export async function reads(vault: Vault, { records, say, pauseMs, stop }: Traffic): Promise<void> {
  while (stop?.aborted !== true) {
    const [collection, id] = [aCollection(), anOldId(records)];
    try {
      const { document } = await vault.get({ collection, id });
      const isRight = document["of"] === `${collection}/${id}` && hashOf(document).length === 64;
      say({ read: isRight ? "right" : `another record than ${collection}/${id}` });
    } catch (error) {
      say({ read: codeOf(error) });
    }
    await sleep(Math.random() * pauseMs);
  }
}

const aCollection = (): ScopedCollection => COLLECTIONS[Math.floor(Math.random() * COLLECTIONS.length)]!;
const anOldId = (records: number): string => oldId(Math.floor(Math.random() * records));

const codeOf = (error: unknown): string => (isVaultError(error) ? error.code : String(error));
