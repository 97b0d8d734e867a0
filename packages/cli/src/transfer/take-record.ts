// One record of a file becomes an item of a batch, or a bad record with its reason: it gets its id and its subject, and
// the fields that are not wanted are left out. The id comes first: what it is made of need not be stored.
import { type Field, fieldText } from "../formats/document.ts";
import type { SourceRecord } from "../formats/format.ts";
import type { FieldFilter } from "./fields.ts";
import { looksPersonal } from "../personal-id.ts";
import type { IdSource } from "./ids.ts";
import type { ImportReport, Remarks } from "./report.ts";
import type { PendingItem } from "./send-batch.ts";

/** How records are taken. */
export interface TakeOptions {
  readonly ids: IdSource;
  readonly idsAre: "public" | "sealed";
  /** Null: as it is; of a new record as its collection declares. */
  readonly subject: Field | null;
  readonly filter: FieldFilter;
}

/** Takes records, and knows afterwards what a person should know of them. */
export interface RecordTaker {
  /** The item and its size in bytes, about; null: the record is bad and stands in the report. */
  take(record: SourceRecord): { readonly pending: PendingItem; readonly bytes: number } | null;
  remarks(): Omit<Remarks, "idsFile">;
}

/** Makes it. */
export function recordTaker({ ids, idsAre, subject: whom, filter }: TakeOptions, report: ImportReport): RecordTaker {
  const firstPositions = new Map<string, number>();

  const itemOf = (record: SourceRecord): PendingItem["item"] => {
    if (record.kind === "bad") throw new RangeError(record.reason);
    const { document, position } = record;
    const id = ids.of(document, position);
    if (id.kind === "problem") throw new RangeError(id.reason);
    const subject = whom === null ? null : fieldText(document, whom);
    if (subject?.kind === "problem") throw new RangeError(`the subject field ${subject.reason}`);
    const first = firstPositions.get(id.text);
    if (first !== undefined) throw new RangeError(`has the same id as ${report.unit} ${first}`);
    firstPositions.set(id.text, position);
    if (idsAre === "public" && looksPersonal(id.text)) report.personalIds++;
    return {
      id: id.text,
      document: filter.take(document),
      ...(subject === null ? {} : { subject: subject.text }),
    };
  };

  return {
    take: (record) => {
      report.read++;
      try {
        const item = itemOf(record);
        return { pending: { position: record.position, item }, bytes: JSON.stringify(item).length };
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        report.bad.push({ position: record.position, reason: reasonOf(error) });
        return null;
      }
    },
    remarks: () => ({ unusedFields: filter.unused(), passwordFields: filter.passwords() }),
  };
}

/** The engine throws a RangeError too, where a document is nested so deep that its stack ends. */
function reasonOf({ message }: RangeError): string {
  return /call stack/i.test(message) ? "is nested too deep" : message;
}
