// What an input format is: how a file of it is known by its first bytes, and how its records are read. table.ts has
// the formats, open.ts picks one of them. A format is a row and knows neither where its bytes come from nor where its
// records go.
import type { Document, Field } from "./document.ts";
import type { InputFormatName } from "./names.ts";

/** What is known of a file before a format is chosen. */
export interface Sample {
  /** The first bytes, decompressed. */
  readonly bytes: Uint8Array;
  /** The same as text without a byte order mark, or null where the bytes are no text. */
  readonly text: string | null;
  /** Whether that is all of the file. */
  readonly whole: boolean;
  /** The format that the person named, or null. */
  readonly asked: InputFormatName | null;
  /** The ending of the file's name in small letters, without those of compression; "" for a pipe. */
  readonly ending: string;
}

/** What a format reads from. */
export interface Source {
  readonly sample: Sample;
  /** All of the file from its first byte on: UTF-8 without a byte order mark for text, else the bytes as they are. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** What a person said about the file. */
export interface ReadOptions {
  /** CSV: what stands between cells; null: as the file looks. */
  readonly delimiter: string | null;
  /** JSON: where the records are (`users`, `entry[].resource`); null: as the file looks. */
  readonly records: string | null;
  /** CSV: whether a dot in a heading goes into nested objects in files that Strongroom did not write. */
  readonly headings: "literal" | "nested";
  /** Workbooks: the sheet's name; null: the only one that holds rows. */
  readonly sheet: string | null;
  /** The field that names a record, where there is one: a JSON object that has it is a record and not a list. */
  readonly idField: Field | null;
}

/** What a record's position counts, as a person is told of it: "line 3", "row 3", "record 3". */
export type PositionUnit = "line" | "row" | "record";

/** One record of a file, or why it cannot be taken; the reason never holds the record's content. */
export type SourceRecord =
  | { readonly kind: "document"; readonly position: number; readonly document: Document }
  | { readonly kind: "bad"; readonly position: number; readonly reason: string };

/** A column: its heading as it stands in the file, and the field of the documents that its cells go to. */
export interface SourceColumn {
  readonly heading: string;
  readonly field: Field;
}

/** A file that is being read. */
export interface Reading {
  /** The columns that a heading names, in their order; null where a format has no heading. */
  readonly columns: readonly SourceColumn[] | null;
  /** What else a person should know of how the file is read, as sentences; mostly none. */
  readonly notes: readonly string[];
  /** In the file's order. Throws `input-invalid` where nothing after that point can be read. */
  readonly records: AsyncIterable<SourceRecord>;
}

/** A format that is taken. */
export interface InputFormat {
  readonly kind: "taken";
  /** As `--format` names it. */
  readonly name: InputFormatName;
  /** As a sentence names a file of it: "a CSV file". */
  readonly title: string;
  /** Whether it is text, which comes in UTF-8 whatever the file's encoding is. */
  readonly content: "text" | "bytes";
  readonly unit: PositionUnit;
  readonly looksLike: (sample: Sample) => boolean;
  /** Reads what stands before the records, and refuses with `input-invalid` what cannot be read at all. */
  readonly read: (source: Source, options: ReadOptions) => Promise<Reading>;
}

/** A kind of file that is known and not taken: refused once, with what to do instead. */
export interface RefusedKind {
  readonly kind: "refused";
  readonly title: string;
  readonly looksLike: (sample: Sample) => boolean;
  readonly remedy: string;
}
