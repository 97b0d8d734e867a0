// How each format is written: NDJSON as the documents come, CSV after all of them have been seen, since its heading
// names every column.
import { ColumnCollector } from "../formats/columns.ts";
import { csvHeading, csvRow } from "../formats/csv.ts";
import type { Format } from "../formats/format.ts";
import { ndjsonLine } from "../formats/ndjson.ts";
import type { Document } from "../formats/record-source.ts";
import { openSpool } from "../formats/spool.ts";
import type { Output } from "../terminal/output.ts";

/** What a writer needs to know beside the documents. */
export interface WriterOptions {
  /** Where a spool may lie: beside the output, so that it needs no other disk. */
  readonly folder: string;
  readonly formulas: "keep" | "escape";
}

/** Writes all documents to the output. */
export type Writer = (documents: AsyncIterable<Document>, output: Output, options: WriterOptions) => Promise<void>;

/** The writers, by format. */
export const WRITERS: Readonly<Record<Format, Writer>> = {
  ndjson: async (documents, output) => {
    for await (const document of documents) await output.write(ndjsonLine(document));
  },
  csv: async (documents, output, { folder, formulas }) => {
    const collector = new ColumnCollector();
    const spool = await openSpool(folder);
    try {
      for await (const document of documents) {
        collector.add(document);
        await spool.add(ndjsonLine(document));
      }
      const columns = collector.columns();
      await output.write(csvHeading(columns));
      for await (const document of spool.documents()) await output.write(csvRow(document, columns, { formulas }));
    } finally {
      await spool.close();
    }
  },
};
