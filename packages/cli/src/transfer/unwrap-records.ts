// The records of a file with their typed values taken out, where that was asked for; else a hint, where they look as if
// it should have been.
import type { Terminal } from "@strongroom/base/terminal";
import type { SourceRecord } from "../formats/format.ts";
import type { TypedValues } from "../formats/typed-value-names.ts";
import { looksTyped, unwrapDocument } from "../formats/typed-values.ts";

/** The same records; one whose values are none of that database is bad. */
export async function* unwrapRecords(
  records: AsyncIterable<SourceRecord>,
  from: TypedValues | null,
  terminal: Terminal,
): AsyncGenerator<SourceRecord> {
  let isFirst = true;
  for await (const record of records) {
    if (record.kind === "bad") yield record;
    else if (from === null) {
      const typed = isFirst ? looksTyped(record.document) : null;
      if (typed !== null)
        terminal.say(
          `The values look like the typed ones of an export: --unwrap ${typed} takes them out of their wrapping.`,
        );
      isFirst = false;
      yield record;
    } else yield unwrapped(record, from);
  }
}

function unwrapped(record: SourceRecord & { readonly kind: "document" }, from: TypedValues): SourceRecord {
  try {
    return { ...record, document: unwrapDocument(record.document, from) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { kind: "bad", position: record.position, reason: error.message };
  }
}
