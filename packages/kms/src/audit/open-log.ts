// The opening of a database's audit log: whole, and as its witness saw it. One of an earlier version is adopted; one
// that does not fit is refused, or accepted by an operator.

import { randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { Kysely } from "kysely";
import { signingKeyOf } from "@strongroom/tlog/keys";
import type { Seen, Witness } from "@strongroom/witness/witness";
import type { Sealer } from "../crypto/sealing.ts";
import { KmsError } from "../errors.ts";
import { digestPosition, rebindDigest } from "../integrity/digest.ts";
import { META, SIGNING_KEY, readMeta } from "../store/meta.ts";
import type { Schema } from "../store/schema.ts";
import { witnessedLog } from "../witnesses/witness.ts";
import { checkLog } from "./check.ts";
import type { CheckedLog } from "./check.ts";
import { LEGACY_KEY, LEGACY_META, verifyChain } from "./legacy-chain.ts";
import { AuditLog, signerFor } from "./log.ts";
import { acceptHistory, adoptChain } from "./new-history.ts";

/** How a log is opened. */
export interface LogOptions {
  /** What the log must go on from. */
  readonly witness: Witness | null;
  /** An operator's reason for going on with a log that does not fit. */
  readonly acceptRestore: string | null;
  /** Milliseconds. */
  readonly now: number;
}

/** A log that goes on. */
export interface OpenedLog {
  readonly log: AuditLog;
  /** What the witness says; null without one. */
  readonly seen: Seen | null;
}

/** @throws KmsError `audit-broken`, `audit-set-back`, `store-corrupt`, `option-invalid`. */
export async function openLog(db: Kysely<Schema>, sealer: Sealer, options: LogOptions): Promise<OpenedLog> {
  const { witness, acceptRestore, now } = options;
  let seen: Seen | null = null;
  const examined = async (key: KeyObject): Promise<CheckedLog> => {
    const checked = await checkLog(db, key);
    seen = (await witness?.examine(witnessedLog(db, key, checked))) ?? null;
    return checked;
  };
  const key = await signingKey(db, sealer, { mustFit: acceptRestore === null, now });
  let checked: CheckedLog;
  try {
    checked = await examined(key);
    if (acceptRestore !== null)
      throw new KmsError("option-invalid", "the log is whole and goes on: there is nothing to accept.", {
        remedy: "Start without --accept-restore.",
      });
  } catch (error) {
    if (acceptRestore === null || !isUnfit(error)) throw error;
    const witnessed = (await witness?.read()) ?? null;
    await db.transaction().execute(async (trx) => {
      const rowsAt = (await digestPosition(trx, sealer))?.size ?? null;
      const { head, before } = await acceptHistory(trx, { key, reason: acceptRestore, witnessed, rowsAt, at: now });
      // Threat: old rows with their digest, and a log broken somewhere so that both are accepted. They stay refused.
      if (rowsAt !== null && rowsAt >= before) await rebindDigest(trx, sealer, head);
    });
    checked = await examined(key);
  }
  return { log: new AuditLog(signerFor(checked.checkpoint.origin, key), checked.range, checked.note), seen };
}

/** What an operator may accept. */
const isUnfit = (error: unknown): boolean =>
  error instanceof KmsError && (error.code === "audit-broken" || error.code === "audit-set-back");

/**
 * The log's key. A database of before the log had one gets it here, and its chain becomes the log.
 * @throws KmsError `audit-broken` if that chain is, and it must fit; `store-corrupt`.
 */
async function signingKey(
  db: Kysely<Schema>,
  sealer: Sealer,
  { mustFit, now }: { readonly mustFit: boolean; readonly now: number },
): Promise<KeyObject> {
  const meta = await readMeta(db);
  const sealed = meta.get(META.signingKey);
  if (sealed !== undefined) {
    const seed = sealer.open(sealed, SIGNING_KEY);
    if (seed === null) throw new KmsError("store-corrupt", "the key of the audit log does not open.");
    return signingKeyOf(seed);
  }
  const chainKey = sealer.open(meta.get(LEGACY_META.key) ?? Buffer.alloc(0), LEGACY_KEY);
  if (chainKey === null) throw new KmsError("store-corrupt", "the key of the audit chain does not open.");
  const whole = await verifyChain(db, chainKey).then(
    () => true,
    (error: unknown) => {
      if (mustFit || !isUnfit(error)) throw error;
      return false;
    },
  );
  chainKey.fill(0);
  const seed = randomBytes(32);
  const value = sealer.seal(seed, SIGNING_KEY);
  const key = signingKeyOf(seed);
  await db.transaction().execute(async (trx) => {
    await trx.insertInto("meta").values({ name: META.signingKey, value }).execute();
    if (whole) await adoptChain(trx, key, now);
  });
  return key;
}
