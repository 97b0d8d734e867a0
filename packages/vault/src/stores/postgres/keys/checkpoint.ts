/**
 * The newest checkpoint of the audit's log: one row, which is put in the place of the one that was seen.
 */
import type { CheckpointRow } from "../../key-store.ts";
import { MAX_CHECKPOINT_BYTES, takeCheckpoint } from "../../outbox-limits.ts";
import { text } from "../columns.ts";
import { statement } from "../connection.ts";
import type { Connections } from "../connection.ts";
import { refusalColumn, requireAccepted, writeRefusalColumn } from "../refusals.ts";
import type { SchemaName } from "../schema-name.ts";

/** @param vault the id that the database must have */
export function checkpointRow(connections: Connections, schema: SchemaName, vault: string): CheckpointRow {
  // Of one that is longer than any, enough for it to be none.
  const read = statement(`
    select ${refusalColumn("$1::text")}, left(c.note, ${MAX_CHECKPOINT_BYTES + 1}) as note
    from ${schema}.vault g left join ${schema}.checkpoint c on c.one = 1`);
  const replace = statement(`
    with g as (
      select ${writeRefusalColumn("$1::text")} from ${schema}.vault g),
    made as (
      insert into ${schema}.checkpoint (one, note) select 1, $2::text from g where g.refusal is null and $3::text is null
      on conflict do nothing
      returning one),
    changed as (
      update ${schema}.checkpoint c set note = $2::text from g where g.refusal is null and c.note = $3::text
      returning c.one)
    select g.refusal, exists (select from made) or exists (select from changed) as is_replaced from g`);

  async function current(): Promise<string | null> {
    return text(requireAccepted(await connections.run(read, [vault], "repeat"))["note"]);
  }

  return {
    read: current,
    async replace(given, seen) {
      const note = takeCheckpoint(given);
      const rows = await connections.run(replace, [vault, note, seen], "repeat");
      if (requireAccepted(rows)["is_replaced"] === "t") return "replaced";
      // It may be ours: an answer that was lost has been asked for again.
      return (await current()) === note ? "replaced" : "overtaken";
    },
  };
}
