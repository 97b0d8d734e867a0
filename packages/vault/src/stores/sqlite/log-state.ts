/**
 * The row that says how far the audit's log is.
 */
import { sql } from "kysely";
import { VaultError } from "../../errors.ts";
import type { LogState } from "../audit-log.ts";
import { MAX_CHECKPOINT_BYTES } from "../outbox-limits.ts";
import { isSubjectId } from "../subjects.ts";
import { PEAK_BYTES } from "./addition-taken.ts";
import { whole } from "./columns.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";

/** A tree has at most one complete subtree of each height. */
const MOST_PEAKS = 53;

const STATE = statement((db, _values: object) =>
  db
    .selectFrom("log_state")
    .select([
      sql<string | null>`substr(history, 1, 37)`.as("history"),
      whole("size", 0).as("size"),
      sql<Uint8Array | null>`iif(octet_length(peaks) <= ${sql.lit(MOST_PEAKS * PEAK_BYTES)}, peaks, null)`.as("peaks"),
      // One that is longer than any is no checkpoint of anybody's.
      sql<string | null>`substr(checkpoint, 1, ${sql.lit(MAX_CHECKPOINT_BYTES)})`.as("checkpoint"),
      whole("published", 0).as("published"),
      sql<number | null>`iif(adopted in (0, 1), adopted, null)`.as("adopted"),
      whole("forgotten", 0).as("forgotten"),
    ])
    .compile(),
);

/** @throws VaultError `store-altered`: it holds what no vault writes */
export function readLogState(connection: Connection): LogState {
  const row = connection.first(STATE, {});
  const {
    history = null,
    size = null,
    checkpoint = null,
    published = null,
    adopted = null,
    forgotten = null,
  } = row ?? {};
  const subtrees = peaksOf(row?.peaks ?? null);
  const isHistory = history === null || isSubjectId(history);
  if (!isHistory || size === null || subtrees === null || published === null || adopted === null || forgotten === null)
    throw new VaultError("store-altered", "The row that says how far the audit's log is holds what no vault writes");
  return { history, size, subtrees, checkpoint, published, adopted: adopted === 1, forgotten };
}

/** Null when they are none. */
function peaksOf(bytes: Uint8Array | null): LogState["subtrees"] | null {
  if (bytes === null || bytes.length % PEAK_BYTES !== 0) return null;
  return Array.from({ length: bytes.length / PEAK_BYTES }, (_, index) => {
    const [height = 0, ...hash] = bytes.subarray(index * PEAK_BYTES, (index + 1) * PEAK_BYTES);
    return { height, hash: Uint8Array.from(hash) };
  });
}

interface NewState extends Omit<LogState, "subtrees" | "adopted"> {
  readonly peaks: Uint8Array;
  readonly adopted: number;
}

/** What a hand has set to what none is counts for nothing. */
const larger = (column: "published" | "forgotten", given: number) =>
  sql<number>`max(ifnull(${whole(column, 0)}, 0), ${given})`;

const SET_STATE = statement((db, next: NewState) =>
  db
    .updateTable("log_state")
    .set({
      history: next.history,
      size: next.size,
      peaks: next.peaks,
      checkpoint: next.checkpoint,
      published: larger("published", next.published),
      adopted: next.adopted,
      forgotten: larger("forgotten", next.forgotten),
    })
    .compile(),
);

export function setLogState(
  connection: Connection,
  { adopted, ...state }: Omit<LogState, "subtrees">,
  peaks: Uint8Array,
): void {
  connection.run(SET_STATE, { ...state, adopted: adopted ? 1 : 0, peaks });
}

const SET_PUBLISHED = statement((db, { size }: { readonly size: number }) =>
  db
    .updateTable("log_state")
    .set({ published: size })
    .where(sql<boolean>`ifnull(${whole("published", 0)}, 0) < ${size}`)
    .compile(),
);

/** False: it was as large already. */
export const setPublished = (connection: Connection, size: number): boolean =>
  connection.run(SET_PUBLISHED, { size }) > 0;

const SET_FORGOTTEN = statement((db, { size }: { readonly size: number }) =>
  db
    .updateTable("log_state")
    .set({ forgotten: larger("forgotten", size) })
    .compile(),
);

export function setForgotten(connection: Connection, size: number): void {
  connection.run(SET_FORGOTTEN, { size });
}
