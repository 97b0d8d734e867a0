// What the audit's witness (@strongroom/witness) is told of this log, and where it is.

import type { KeyObject } from "node:crypto";
import type { Kysely } from "kysely";
import type { WitnessedLog } from "@strongroom/witness/witness";
import type { CheckedLog } from "../audit/check.ts";
import { compareWith } from "../audit/comparison.ts";
import { ownCheckpoint } from "../audit/log.ts";
import { storedTree } from "../audit/tree-rows.ts";
import type { Schema } from "../store/schema.ts";

/**
 * Where the newest checkpoint is kept as well: a file on another disk or in another folder; or a service that speaks
 * c2sp.org/tlog-witness, whose verifier key may follow the address after a `#`.
 */
export type WitnessSource =
  { readonly kind: "file"; readonly path: string } | { readonly kind: "url"; readonly url: string };

/** A log that was read from a database, as a witness examines it. */
export function witnessedLog(
  db: Kysely<Schema>,
  key: KeyObject,
  { note, checkpoint, accepted }: Pick<CheckedLog, "note" | "checkpoint" | "accepted">,
): WitnessedLog {
  return {
    note,
    checkpoint,
    tree: storedTree(db),
    own: (other) => ownCheckpoint(other, key),
    compare: async (seen, from) => {
      const compared = await compareWith(db, { checkpoint, accepted }, { note: seen, key, from });
      return compared.kind === "continued" ? compared.size : 0;
    },
  };
}
