/**
 * Notes in PostgreSQL: a row each, which nothing else shares.
 */
import { STORE_WRITER } from "../gate.ts";
import { behindPrefix, isNote, isNoteText, MOST_NOTES, takeNote, takePrefix } from "../note-limits.ts";
import type { Note, Notes } from "../notes.ts";
import { MAX_NOTE_NAME } from "../notes.ts";
import { whole } from "./columns.ts";
import { placeholders, statement } from "./connection.ts";
import { isNoteColumn } from "./functions/notes.ts";
import type { InventoryContext } from "./inventory.ts";
import { refusalColumn, requireAccepted } from "./refusals.ts";

export function postgresNotes({ connections, schema, vault, lockTimeoutMs }: InventoryContext): Notes {
  // What holds what nobody writes takes no note's place among the first.
  const list = statement(`
    select ${refusalColumn("$1::text")}, n.name, n.text from ${schema}.vault g left join (
      select n.name, n.text from ${schema}.notes n
      where n.name >= $2::text collate "C" and n.name < $3::text collate "C"
        and n.name ~ '^[a-z0-9/._-]{1,${MAX_NOTE_NAME}}$'::text and ${isNoteColumn("n.text")}
      order by n.name limit ${MOST_NOTES}) n on true
    order by n.name`);
  const replace = statement(`select result, changed from ${schema}.replace_note_v1(${placeholders(6)})`);

  return {
    async list(prefix) {
      const first = takePrefix(prefix);
      // None begins so: asked all the same, as a store that is gone is told.
      const values = [vault, first ?? "", first === null ? "" : behindPrefix(first)];
      const rows = await connections.run(list, values, "repeat");
      requireAccepted(rows);
      return rows.map((row) => ({ name: row["name"], text: row["text"] })).filter((row): row is Note => isNote(row));
    },
    async replace(given, text, seen) {
      const note = takeNote({ name: given, text, seen });
      if (note.seen !== null && !isNoteText(note.seen)) return "overtaken";
      const values = [vault, STORE_WRITER, Math.ceil(lockTimeoutMs), note.name, note.text, note.seen];
      const row = requireAccepted(await connections.run(replace, values, "fail"), "result");
      return whole(row["changed"]) === null ? "overtaken" : "replaced";
    },
  };
}
