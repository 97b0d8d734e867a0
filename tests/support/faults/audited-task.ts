/**
 * What a process of a vault with an audit is told, and how it tells what it did.
 */
import type { AuditedPlace } from "./audited-place.ts";
import type { TestKey } from "./keys.ts";

/** `writes`, `reads`: what it wrote is carried to the log by another one. `sequences`: nothing else. `all`: all three. */
export type AuditedRole = "writes" | "reads" | "sequences" | "all";

/** What the process is to do. */
export interface AuditedTask {
  readonly place: AuditedPlace;
  readonly key: TestKey;
  readonly role: AuditedRole;
  /** Records that are written again and again; others are written once. */
  readonly records: number;
  /** Calls under way at once. */
  readonly atOnce: number;
  readonly leaseMs: number;
  /** Where its lines go. */
  readonly log: string;
}

export type CallKind = "read" | "list" | "write" | "remove" | "batch" | "within" | "rolled-back";

/** What a call was told: what is in the audit of it then, and which version of which record it made. */
export interface CallAnswer {
  /** `done`, or the code of an error. */
  readonly result: string;
  readonly version?: number;
}

/** Of a call there is a line when it begins, and one when it has ended. A call is a principal of its own in the audit. */
export type AuditedLine =
  | { readonly call: string; readonly kind: CallKind; readonly records: readonly string[]; readonly token?: string }
  | { readonly call: string; readonly answer: CallAnswer }
  | { readonly opened: true }
  | { readonly alarm: string }
  | { readonly fault: string };

export const PEOPLE = "people";
