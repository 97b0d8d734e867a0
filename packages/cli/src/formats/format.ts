// The formats of import and export, by name and by a file's ending.
import { CliError } from "../errors.ts";

/** The formats. */
export const FORMATS = ["ndjson", "csv"] as const;

/** A format's name. */
export type Format = (typeof FORMATS)[number];

const FORMAT_BY_ENDING: Readonly<Record<string, Format>> = { ndjson: "ndjson", jsonl: "ndjson", csv: "csv" };

/**
 * The format that was asked for, else the one of the file's ending, else NDJSON for a pipe. Throws `usage` for an
 * ending that says nothing.
 */
export function chooseFormat(asked: Format | undefined, path: string): Format {
  if (asked !== undefined) return asked;
  if (path === "-") return "ndjson";
  const known = FORMAT_BY_ENDING[(path.split(".").pop() ?? "").toLowerCase()];
  if (known !== undefined) return known;
  throw new CliError("usage", {
    detail: `The ending of ${path} does not say which format it is.`,
    remedy: "Say it: --format ndjson or --format csv.",
  });
}
