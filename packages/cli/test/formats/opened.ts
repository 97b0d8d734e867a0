// For tests: what is read of a file whose content is given.
import { AS_IT_LOOKS, type OpenedFile, openRecords } from "../../src/formats/open.ts";
import type { SourceRecord } from "../../src/formats/format.ts";
import type { ReadOptions } from "../../src/formats/format.ts";
import { collect } from "../support/collect.ts";

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

/** Opens it under a name that says nothing. */
export async function opened(
  content: string | Uint8Array,
  options: Partial<ReadOptions> = {},
  chunk = 7,
): Promise<OpenedFile> {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return openRecords(chunked(bytes, chunk), { ...AS_IT_LOOKS, path: "-", idField: null, ...options });
}

/** Its format's name and its records, the documents as they are and the reasons of the others. */
export async function recordsOf(
  content: string | Uint8Array,
  options: Partial<ReadOptions> = {},
): Promise<readonly unknown[]> {
  const file = await opened(content, options, typeof content === "string" ? 7 : 64 * 1024);
  return [file.format.name, ...(await collect(file.records)).map(shown)];
}

function shown(record: SourceRecord): unknown {
  return record.kind === "document" ? record.document : `${record.position}: ${record.reason}`;
}
