/**
 * Repairs of versions, within the writer's transaction: a message in the place of another one, and what a repair came
 * to grief on.
 */
import type { Lease } from "../jobs.ts";
import type { RewrapResult } from "../inventory.ts";
import type { VersionPlace } from "../rows.ts";
import { readGate } from "./gate-row.ts";
import { counted } from "./read-inventory.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import type { TakenRewrap } from "./units-taken.ts";
import { isHeld } from "./write-jobs.ts";
import { versionKey } from "./write-records.ts";
import { internWrapSet } from "./wrap-set-rows.ts";

interface NewAccount {
  readonly key: bigint;
  readonly wrapSet: number;
  readonly since: number;
}

const SET_ACCOUNT = statement((db, { key, wrapSet, since }: NewAccount) =>
  db.updateTable("versions").set({ wrap_set: wrapSet, since }).where("key", "=", key).compile(),
);

const SET_MESSAGE = statement(
  (db, { key, wrapSet, since, revision, message }: NewAccount & { revision: number; message: Uint8Array }) =>
    db.updateTable("versions").set({ wrap_set: wrapSet, since, revision, message }).where("key", "=", key).compile(),
);

const DROP_FAILURE = statement((db, { key }: { readonly key: bigint }) =>
  db.deleteFrom("failures").where("version_key", "=", key).compile(),
);

export function rewrap(
  connection: Connection,
  { place, seen, epoch, message, wrapSet, since, lease }: TakenRewrap,
): RewrapResult {
  const gate = readGate(connection);
  if (epoch !== gate.epoch) return { kind: "gate-moved", epoch: gate.epoch };
  if (lease !== null && !isHeld(connection, lease)) return { kind: "overtaken" };
  const found = versionKey(connection, place);
  if (found?.wrapSet !== seen.wrapSet || found.revision !== seen.revision) return { kind: "overtaken" };
  const account = { key: BigInt(found.key), wrapSet: internWrapSet(connection, wrapSet), since };
  if (message === null) connection.run(SET_ACCOUNT, account);
  else connection.run(SET_MESSAGE, { ...account, revision: seen.revision + 1, message });
  connection.run(DROP_FAILURE, account);
  return { kind: "made" };
}

interface NewFailure {
  readonly key: bigint;
  readonly code: string;
  readonly at: string;
  readonly dueAt: number;
}

const FAIL = statement((db, { key, code, at, dueAt }: NewFailure) =>
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

/** Notes a failure; nothing when the lease is somebody else's, or the version is gone. */
export function fail(
  connection: Connection,
  lease: Lease,
  place: VersionPlace,
  { code, at, waitMs }: { readonly code: string; readonly at: string; readonly waitMs: number },
): void {
  const found = isHeld(connection, lease) ? versionKey(connection, place) : undefined;
  if (found !== undefined)
    connection.run(FAIL, { key: BigInt(found.key), code, at, dueAt: Date.now() + Math.round(waitMs) });
}
