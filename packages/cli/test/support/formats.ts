// For tests: documents written by an export's writer, and files read as an import reads them, without a service.
import { tmpdir } from "node:os";
import { WRITERS } from "../../src/formats/writers.ts";
import type { Document } from "../../src/formats/document.ts";
import type { SourceRecord } from "../../src/formats/format.ts";
import { AS_IT_LOOKS, type OpenedFile, type OpenOptions, openRecords } from "../../src/formats/open.ts";
import { collect } from "./collect.ts";

/** Bytes in pieces of `size`. */
export async function* chunked(content: string | Uint8Array, size: number = 65_536): AsyncGenerator<Uint8Array> {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

/** Opens a file as an import does; nothing is said of it but what `options` say. */
export function openFile(
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
  options: Partial<OpenOptions> = {},
  chunk?: number,
): Promise<OpenedFile> {
  const chunks = typeof content === "string" || content instanceof Uint8Array ? chunked(content, chunk) : content;
  return openRecords(chunks, { ...AS_IT_LOOKS, path: "-", idField: ["id"], ...options });
}

/** All records of a file. */
export async function readFile(
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
  options: Partial<OpenOptions> = {},
  chunk?: number,
): Promise<SourceRecord[]> {
  return collect((await openFile(content, options, chunk)).records);
}

/** The documents of a file; one that is bad fails the test. */
export async function documentsOf(
  content: string | Uint8Array,
  options: Partial<OpenOptions> = {},
  chunk?: number,
): Promise<Document[]> {
  return (await readFile(content, options, chunk)).map((record) => {
    if (record.kind === "document") return record.document;
    throw new Error(`${record.position}: ${record.reason}`);
  });
}

/** What an export writes. */
export async function exported(documents: readonly Document[], format: "ndjson" | "csv"): Promise<string> {
  const written: string[] = [];
  const records = async function* (): AsyncGenerator<{ id: string; document: Document }> {
    yield* documents.map((document, index) => ({ id: `r${index}`, document }));
  };
  const output = {
    write: async (text: string | Uint8Array) => {
      written.push(String(text));
    },
    commit: async () => undefined,
    discard: async () => undefined,
  };
  await WRITERS[format](records(), output, { folder: tmpdir(), formulas: "keep" });
  return written.join("");
}
