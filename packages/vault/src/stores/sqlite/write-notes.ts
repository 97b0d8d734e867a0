/**
 * Notes in SQLite: read as bytes, since a text that a hand put there need be none, and compared within the writer's
 * transaction. What holds what nobody writes counts for nothing: it is left out, and whoever saw none replaces it.
 */
import { sql } from "kysely";
import { behindPrefix, isNote, isNoteText, MOST_NOTES, takePrefix } from "../note-limits.ts";
import type { NoteChange } from "../note-limits.ts";
import { MAX_NOTE_BYTES, MAX_NOTE_NAME } from "../notes.ts";
import type { Note } from "../notes.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import { changed } from "./undone.ts";
import type { Undone } from "./undone.ts";

/** Null: it is longer than any that is written. */
const TEXT = sql<Uint8Array | null>`iif(octet_length(text) <= ${sql.lit(MAX_NOTE_BYTES)}, cast(text as blob), null)`;
const NAME = sql<Uint8Array | null>`iif(octet_length(name) <= ${sql.lit(MAX_NOTE_NAME)}, cast(name as blob), null)`;

interface NoteRow {
  readonly name: Uint8Array | null;
  readonly text: Uint8Array | null;
}

const LIST = statement((_db, { first, behind }: { readonly first: string; readonly behind: string }) =>
  sql<NoteRow>`select ${NAME} as name, ${TEXT} as text from notes
    where name >= ${first} and name < ${behind} order by name`.compile(_db),
);

const FIND = statement((db, { name }: { readonly name: string }) =>
  sql<Pick<NoteRow, "text">>`select ${TEXT} as text from notes where name = ${name}`.compile(db),
);

const PUT = statement((db, { name, text }: Note) => db.replaceInto("notes").values({ name, text }).compile());
const DROP = statement((db, { name }: Pick<Note, "name">) => db.deleteFrom("notes").where("name", "=", name).compile());

/** Those whose names begin so. A row that holds what nobody writes takes no note's place among the first. */
export function listNotes(connection: Connection, prefix: string): readonly Note[] {
  const first = takePrefix(prefix);
  const found: Note[] = [];
  if (first === null) return found;
  for (const row of connection.each(LIST, { first, behind: behindPrefix(first) })) {
    const note = { name: textOf(row.name), text: textOf(row.text) };
    if (isNote(note)) found.push(note);
    if (found.length >= MOST_NOTES) break;
  }
  return found;
}

/** Puts a text in the place of the one that was seen. */
export function replaceNote(
  connection: Connection,
  { name, text, seen }: NoteChange,
): "replaced" | "overtaken" | Undone<"replaced" | "overtaken"> {
  const found = textOf(connection.first(FIND, { name })?.text ?? null);
  if ((isNoteText(found) ? found : null) !== seen) return changed("overtaken", false);
  if (text === null) connection.run(DROP, { name });
  else connection.run(PUT, { name, text });
  return "replaced";
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Null: its bytes are no text. */
function textOf(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null;
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}
