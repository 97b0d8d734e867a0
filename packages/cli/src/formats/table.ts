// The kinds of files, in the order in which a file is held against them: what is surely known stands before what is
// guessed, and CSV, which any text may be, is the last.
import { csvFormat } from "./csv.ts";
import type { InputFormat, RefusedKind } from "./format.ts";
import { jsonFormat } from "./json.ts";
import { ldifFormat } from "./ldif.ts";
import { ndjsonFormat } from "./ndjson.ts";
import { BINARY_KINDS, TEXT_KINDS } from "./not-taken.ts";
import { postgresCopy } from "./postgres-copy.ts";
import { vcardFormat } from "./vcard.ts";
import { xlsxFormat } from "./xlsx.ts";

/** Every kind of file that is known, taken or not. */
export const FILE_KINDS: readonly (InputFormat | RefusedKind)[] = [
  xlsxFormat,
  ...BINARY_KINDS,
  ...TEXT_KINDS,
  postgresCopy,
  ndjsonFormat,
  jsonFormat,
  vcardFormat,
  ldifFormat,
  csvFormat,
];

/** The formats that are taken. */
export const INPUT_FORMATS: readonly InputFormat[] = FILE_KINDS.filter((kind) => kind.kind === "taken");
