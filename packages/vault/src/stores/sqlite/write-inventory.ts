/**
 * Repairs of what the inventory lists, within the writer's transaction: other wraps in the place of those that were
 * read, and what a repair came to grief on.
 */
import type { Epoch } from "../gate.ts";
import type { RewrapResult } from "../inventory.ts";
import type { Lease } from "../jobs.ts";
import type { Stamp } from "../rows.ts";
import { readGate } from "./gate-row.ts";
import { counted } from "./read-inventory.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import { changed } from "./undone.ts";
import type { Undone } from "./undone.ts";
import { isHeld } from "./write-jobs.ts";

/** An item's row as a repair finds it. Numbers are null where they are none. */
export interface FoundItem {
  readonly key: string;
  readonly wrapSet: number | null;
  readonly revision: number | null;
}

/** On what a rewrap depends. */
export interface Rewrapped {
  readonly seen: Stamp;
  readonly epoch: Epoch;
  readonly lease: Lease | null;
}

const DROP_FAILURE = statement((db, { key }: { readonly key: bigint }) =>
  db.deleteFrom("failures").where("version_key", "=", key).compile(),
);

/** Makes a change of an item, if it still is what was seen, at the epoch of the new wraps and under the lease. */
export function rewrapItem(
  connection: Connection,
  { seen, epoch, lease }: Rewrapped,
  find: () => FoundItem | undefined,
  make: (key: bigint) => void,
): RewrapResult | Undone<RewrapResult> {
  const gate = readGate(connection);
  if (epoch !== gate.epoch) return changed({ kind: "gate-moved", epoch: gate.epoch }, false);
  const found = lease === null || isHeld(connection, lease) ? find() : undefined;
  if (found?.wrapSet !== seen.wrapSet || found.revision !== seen.revision) return changed({ kind: "overtaken" }, false);
  const key = BigInt(found.key);
  make(key);
  connection.run(DROP_FAILURE, { key });
  return { kind: "made" };
}

/** What a repair came to grief on, and how long the item is to wait. */
export interface NewFailure {
  readonly code: string;
  readonly at: string;
  readonly waitMs: number;
}

interface NewFailureRow {
  readonly key: bigint;
  readonly code: string;
  readonly at: string;
  readonly dueAt: number;
}

const FAIL = statement((db, { key, code, at, dueAt }: NewFailureRow) =>
  db
    .insertInto("failures")
    .values({ version_key: key, attempts: 1, code, at, due_at: dueAt })
    .onConflict((conflict) =>
      conflict.doUpdateSet(({ eb }) => ({
        attempts: eb(counted("failures.attempts"), "+", 1),
        code,
        at,
        due_at: dueAt,
      })),
    )
    .compile(),
);

/** Notes a failure; nothing when the lease is somebody else's, or the item is gone. */
export function note(
  connection: Connection,
  lease: Lease,
  find: () => FoundItem | undefined,
  { code, at, waitMs }: NewFailure,
): void {
  const found = isHeld(connection, lease) ? find() : undefined;
  if (found !== undefined)
    connection.run(FAIL, { key: BigInt(found.key), code, at, dueAt: Date.now() + Math.round(waitMs) });
}
