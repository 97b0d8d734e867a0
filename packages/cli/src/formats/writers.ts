// How each format is written: NDJSON as the documents come, CSV after all of them have been seen, since its heading
// names every column. Between the two passes documents lie in a spool. Its file has no name (it is unlinked as soon as
// it is open), and its bytes are encrypted under a key that only this process has, so that a crash, a backup or another
// user of the machine finds nothing in it.
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PendingFile } from "@strongroom/base/files";
import { CliError } from "../errors.ts";
import { ColumnCollector } from "./columns.ts";
import { csvHeading, csvRow } from "./csv.ts";
import type { Document, Format } from "./document.ts";
import { ndjsonLine, readNdjson } from "./ndjson.ts";

/** What a writer needs to know beside the documents. */
export interface WriterOptions {
  /** Where a spool may lie: beside the output, so that it needs no other disk. */
  readonly folder: string;
  readonly formulas: "keep" | "escape";
}

/** A record on its way out. */
export interface ExportedRecord {
  readonly id: string;
  readonly document: Document;
}

/** Writes all records to the output. Throws `export-incomplete` for one that the format cannot hold. */
export type Writer = (
  records: AsyncIterable<ExportedRecord>,
  output: PendingFile,
  options: WriterOptions,
) => Promise<void>;

/** The writers, by format. */
export const WRITERS: Readonly<Record<Format, Writer>> = {
  ndjson: async (records, output) => {
    for await (const { document } of records) await output.write(ndjsonLine(document));
  },
  csv: async (records, output, { folder, formulas }) => {
    const collector = new ColumnCollector();
    const spool = await openSpool(folder);
    try {
      for await (const record of records) {
        addColumns(collector, record);
        await spool.add(ndjsonLine(record.document));
      }
      const columns = collector.columns();
      await output.write(csvHeading(columns, { formulas }));
      for await (const document of spool.documents()) await output.write(csvRow(document, columns, { formulas }));
    } finally {
      await spool.close();
    }
  },
};

/** Before anything is written: a table that lacks a record, or a value of one, is worse than none. */
function addColumns(collector: ColumnCollector, { id, document }: ExportedRecord): void {
  try {
    collector.add(document);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CliError("export-incomplete", {
      title: "Some records do not fit into a table",
      detail: `Record ${id}: ${error.message}.`,
      remedy: "Export as NDJSON, which holds every document: --format ndjson. Nothing was written.",
    });
  }
}

/** Documents written once and then read once, in order. */
export interface Spool {
  add(line: string): Promise<void>;
  documents(): AsyncGenerator<Document>;
  close(): Promise<void>;
}

/**
 * Opens a spool in `folder`. AES-256-CTR under a fresh key: nobody else can write to the nameless file, so secrecy is
 * all that is needed.
 */
export async function openSpool(folder: string): Promise<Spool> {
  const path = join(folder, `.strongroom-spool-${randomBytes(8).toString("hex")}`);
  const file = await open(path, "wx+", 0o600);
  await rm(path);
  const key = randomBytes(32);
  const counter = Buffer.alloc(16);
  const cipher = createCipheriv("aes-256-ctr", key, counter);
  return {
    add: async (line) => {
      await file.appendFile(cipher.update(line, "utf8"));
    },
    documents: async function* () {
      const decipher = createDecipheriv("aes-256-ctr", key, counter);
      for await (const line of readNdjson(decrypted(file, (chunk) => decipher.update(chunk)))) {
        if (line.kind === "bad") throw new Error("the spool gave back something else than was put into it");
        yield line.document;
      }
    },
    close: async () => {
      key.fill(0);
      await file.close();
    },
  };
}

async function* decrypted(file: FileHandle, decrypt: (chunk: Uint8Array) => Uint8Array): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(64 * 1024);
  for (let position = 0; ;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield decrypt(buffer.subarray(0, bytesRead));
  }
}
