// JSON that went through PostgreSQL's `COPY … TO STDOUT` in its text format, which writes every backslash twice: a line
// break in a text, `\n`, becomes a backslash and an n, and the JSON mostly stays JSON.
import { CliError } from "../errors.ts";
import type { RefusedKind, Sample } from "./format.ts";
import { readJsonRecord } from "./json-record.ts";

const TITLE = "JSON with every backslash doubled, as COPY … TO STDOUT of PostgreSQL writes it";
const REMEDY =
  'Let psql print the rows itself: psql -XAtc "SELECT row_to_json(p) FROM people p". Where such backslashes belong ' +
  "to the texts, say --format ndjson.";

/** Known by the beginning of a file, so that nothing of it is stored. */
export const postgresCopy: RefusedKind = {
  kind: "refused",
  title: TITLE,
  looksLike: (sample) => {
    const lines = objectLines(sample);
    return lines.some((line) => isCopyDamaged(Buffer.from(line))) || (sample.asked === null && allDoubled(lines));
  },
  remedy: REMEDY,
};

/** The refusal where a line of it comes only later in a file. */
export function copyDamage(place: string): CliError {
  return new CliError("input-invalid", { detail: `From ${place} on, the file is ${TITLE}.`, remedy: REMEDY });
}

/** Whether a line that is no JSON is JSON once each pair of backslashes is one. */
export function isCopyDamaged(line: Uint8Array): boolean {
  const text = new TextDecoder().decode(line);
  if (!text.includes("\\\\") || readJsonRecord(line).kind === "document") return false;
  return readJsonRecord(Buffer.from(text.replaceAll("\\\\", "\\"))).kind === "document";
}

function objectLines({ text, whole }: Sample): readonly string[] {
  if (text?.trimStart().startsWith("{") !== true || !text.includes("\\\\")) return [];
  const lines = text.split("\n");
  if (!whole) lines.pop();
  return lines.filter((line) => line.startsWith("{") && line.includes("\\\\"));
}

/**
 * Whether no backslash escapes anything, and what follows them is what PostgreSQL escapes, a line break at least once.
 * One path of Windows (`C:\\Users`, `\\\\server`) or one real escape shows that a file is as it should be; an export of
 * Strongroom has one wherever it could be meant (ndjson.ts).
 */
function allDoubled(lines: readonly string[]): boolean {
  let breaks = 0;
  for (const line of lines) {
    for (const [, before = "", run = "", next = ""] of line.matchAll(/([^\\]{0,3})(\\+)(u00[01]|[^]?)/g)) {
      const isDrive = /(?:^|[^A-Za-z])[A-Za-z]:$/.test(before);
      const isServer = run.length === 4 && before.endsWith('"') && /\w/.test(next);
      if (run.length % 2 === 1 || isDrive || isServer) return false;
      if (run.length % 4 === 0) continue;
      if (!/^(?:u00[01]|[bfnrt"])$/.test(next)) return false;
      if (/^[nru]/.test(next)) breaks++;
    }
  }
  return breaks > 0;
}
