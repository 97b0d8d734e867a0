/**
 * What one look at a record came to: told only when the record stayed what it was meanwhile.
 */
import type { VaultError } from "../errors.ts";
import type { Version } from "../records/address.ts";
import type { JsonObject } from "../records/json.ts";
import type { StoredMessage } from "../stores/rows.ts";
import type { SubjectId } from "../stores/subjects.ts";
import type { VerifyCode } from "./report.ts";

/** Something wrong, as long as the record stays what it was. */
export interface Found {
  readonly code: VerifyCode;
  readonly message: string;
  readonly version?: Version;
  readonly region?: string;
  readonly person?: SubjectId;
  readonly owed?: true;
}

/** A version that was opened. */
export interface OpenedVersion {
  readonly stored: StoredMessage;
  readonly document: JsonObject;
}

/** What one look came to. */
export interface Look {
  readonly found: Found[];
  readonly unopened: VaultError[];
  /** People whom its versions are about. */
  readonly people: Set<SubjectId>;
  /** The newest version that could be opened; null: none was yet. */
  newest: OpenedVersion | null;
  /** Whether one of them was erased: keys are missing then. */
  hasErased: boolean;
  versions: number;
  wraps: number;
  erased: number;
}

export const newLook = (): Look => ({
  found: [],
  unopened: [],
  people: new Set(),
  newest: null,
  hasErased: false,
  versions: 0,
  wraps: 0,
  erased: 0,
});

export function note({ found }: Look, { code, message }: VaultError, version?: Version): void {
  found.push({ code, message, ...(version === undefined ? {} : { version }) });
}
