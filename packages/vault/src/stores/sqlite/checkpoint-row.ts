/**
 * The row of a key store that keeps the newest checkpoint of the audit's log.
 */
import { sql } from "kysely";
import { VaultError } from "../../errors.ts";
import { MAX_CHECKPOINT_BYTES } from "../outbox-limits.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import { changed } from "./undone.ts";
import type { Undone } from "./undone.ts";

const NOTE = statement((db, _values: object) =>
  db
    .selectFrom("checkpoint")
    .select(sql<string | null>`iif(octet_length(note) <= ${sql.lit(MAX_CHECKPOINT_BYTES)}, note, null)`.as("note"))
    .compile(),
);

/** Null: there is none yet. @throws VaultError `store-altered` of one that is longer than any that a vault writes */
export function readCheckpoint(connection: Connection): string | null {
  const row = connection.first(NOTE, {});
  if (row?.note === null)
    throw new VaultError("store-altered", "The row of the audit's checkpoint holds what no vault writes");
  return row?.note ?? null;
}

const ADD = statement((db, { note }: { readonly note: string }) =>
  db
    .insertInto("checkpoint")
    .values({ one: 1, note })
    .onConflict((conflict) => conflict.doNothing())
    .compile(),
);

const REPLACE = statement((db, { note, seen }: { readonly note: string; readonly seen: string }) =>
  db.updateTable("checkpoint").set({ note }).where("note", "=", seen).compile(),
);

export function replaceCheckpoint(
  connection: Connection,
  note: string,
  seen: string | null,
): "replaced" | "overtaken" | Undone<"replaced" | "overtaken"> {
  const count = seen === null ? connection.run(ADD, { note }) : connection.run(REPLACE, { note, seen });
  return changed<"replaced" | "overtaken">(count === 1 ? "replaced" : "overtaken", count === 1);
}
