// A log beside a checkpoint of it that was kept elsewhere: whether the log still begins with what was seen then.

import type { KeyObject } from "node:crypto";
import type { Kysely } from "kysely";
import { KmsError } from "../errors.ts";
import type { Schema } from "../store/schema.ts";
import type { CheckedLog } from "./check.ts";
import type { LogEvent } from "./log-event.ts";
import { openCheckpoint, ownCheckpoint } from "./log.ts";
import type { Checkpoint } from "@strongroom/tlog/checkpoint";
import { storedTree } from "./tree-rows.ts";

/** What a checkpoint kept elsewhere says of the log. */
export type Comparison =
  /** The log begins with the `size` entries that it names. */
  | { readonly kind: "continued"; readonly size: number }
  /** It is of a history that was given up since, on record. */
  | { readonly kind: "given-up"; readonly event: LogEvent<"AcceptAudit"> };

const setBack = (detail: string): KmsError => new KmsError("audit-set-back", detail);

/**
 * Compares a whole log with a checkpoint.
 * @param from names the checkpoint in errors: "the witness PATH".
 * @throws KmsError `audit-set-back` if the log does not go on from it, or it was not signed by this log's key.
 */
export async function compareWith(
  db: Kysely<Schema>,
  log: Pick<CheckedLog, "checkpoint" | "accepted">,
  { note, key, from }: { readonly note: string; readonly key: KeyObject; readonly from: string },
): Promise<Comparison> {
  const seen = openSeen(note, key, from);
  const { origin, size } = log.checkpoint;
  if (seen.origin !== origin) {
    const event = log.accepted.find((one) => givesUp(one, seen, key));
    if (event !== undefined) return { kind: "given-up", event };
    throw setBack(`${from} has seen another log, ${seen.origin}, of ${seen.size} entries; this one is ${origin}.`);
  }
  if (seen.size > size) throw setBack(`${from} has seen ${seen.size} entries, and there are ${size}.`);
  const tree = await storedTree(db).at(seen.size);
  if (Buffer.compare(tree.root(), seen.root) !== 0)
    throw setBack(`${from} has seen other entries than the first ${seen.size} that are here.`);
  return { kind: "continued", size: seen.size };
}

function openSeen(note: string, key: KeyObject, from: string): Checkpoint {
  try {
    return openCheckpoint(note, key, from);
  } catch (cause) {
    if (!(cause instanceof KmsError)) throw cause;
    throw new KmsError("audit-set-back", `what ${cause.detail}`, { cause });
  }
}

/** Whether the event gave up a history of which this checkpoint is a part. */
function givesUp(
  { requestParameters: { stored, witnessed } }: LogEvent<"AcceptAudit">,
  seen: Checkpoint,
  key: KeyObject,
): boolean {
  return [stored, witnessed].some((note) => {
    const last = ownCheckpoint(note, key);
    return last?.origin === seen.origin && last.size >= seen.size;
  });
}
