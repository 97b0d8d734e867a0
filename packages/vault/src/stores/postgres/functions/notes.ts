/**
 * A note in the place of the one that was seen.
 */
import { MAX_NOTE_BYTES } from "../../notes.ts";
import { changeFunction } from "./change.ts";
import type { StoreFunction } from "./function.ts";

/** Whether the text of a row is one that somebody writes: what is none counts as no note. */
export const isNoteColumn = (column: string): string => `octet_length(${column}) between 1 and ${MAX_NOTE_BYTES}`;

/** `p_text` null: it goes; `p_seen` null: there was none. `changed` is 0 where it is another one by now. */
export const REPLACE_NOTE: StoreFunction = changeFunction("replace_note_v1", "p_name text, p_text text, p_seen text", {
  body: (schema) => `if p_seen is not null and p_text is not null then
    update ${schema}.notes n set text = p_text where n.name = p_name and n.text = p_seen;
    get diagnostics changed = row_count;
  elsif p_seen is not null then
    delete from ${schema}.notes n where n.name = p_name and n.text = p_seen;
    get diagnostics changed = row_count;
  elsif p_text is not null then
    insert into ${schema}.notes as n (name, text) values (p_name, p_text)
      on conflict (name) do update set text = excluded.text where not (${isNoteColumn("n.text")});
    get diagnostics changed = row_count;
  else
    delete from ${schema}.notes n where n.name = p_name and not (${isNoteColumn("n.text")});
    select count(*) into changed from (select) one
      where not exists (select from ${schema}.notes n where n.name = p_name);
  end if;`,
});
