/**
 * Where a verification was, as a text: another one goes on there. It names positions of the stores, as the cursors of
 * their lists do.
 */
import { cursorInvalid, decodeCursor, encodeCursor } from "../records/paging.ts";
import { VERIFY_PARTS } from "./report.ts";
import type { VerifyPart } from "./report.ts";

/** A part that is under way. */
export interface VerifyCursor {
  readonly part: VerifyPart;
  /** Which of its lists: of the records, a collection. */
  readonly list: string;
  /** Behind what; null: from its beginning. */
  readonly after: string | null;
}

const FORMAT = "verify-1";

export const START: VerifyCursor = { part: VERIFY_PARTS[0], list: "", after: null };

export const writeCursor = ({ part, list, after }: VerifyCursor): string =>
  encodeCursor([FORMAT, part, list, ...(after === null ? [] : [after])]);

/** @throws VaultError `cursor-invalid` */
export function readCursor(cursor: string): VerifyCursor {
  const [format, part, list, after = null, ...more] = decodeCursor(cursor);
  const known = VERIFY_PARTS.find((one) => one === part);
  if (format !== FORMAT || known === undefined || list === undefined || more.length > 0) throw cursorInvalid();
  return { part: known, list, after };
}
