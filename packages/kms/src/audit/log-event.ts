// What happens to the log itself is an entry of the log: its beginning as a tree, a cut that keeps the hashes, a
// history given up for another. They have CloudTrail's shape too, under a source of their own, and nobody who calls the
// KMS can make one.

import { randomUUID } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { z } from "zod";
import { eventTime } from "./event.ts";

const SOURCE = "strongroom-kms";

/** What each of these events says, by its name. */
export interface LogEventDetails {
  /** The entries of a chain of MACs became leaves. */
  readonly AdoptAudit: { readonly entries: number };
  /** The texts of the entries up to `through` are gone, but for those of this kind. */
  readonly PruneAudit: {
    readonly through: number;
    readonly before: string;
    readonly removed: number;
    /** Numbers of the log events up to there: their texts stay. */
    readonly kept: readonly number[];
    readonly by: string;
  };
  /** The log goes on as another history from what was found; what is missing of the old one is named. */
  readonly AcceptAudit: {
    readonly reason: string;
    readonly by: string;
    /** Entries that were found, numbered anew. */
    readonly found: number;
    /** Which of them are log events, or say so: their texts stay. */
    readonly kept: readonly number[];
    /** Numbers of which the old history has entries and the new one has none, or others. */
    readonly missing: readonly string[];
    readonly changed: readonly number[];
    /** The last checkpoint of the old history in the database, and the one that the witness had, as signed. */
    readonly stored: string | null;
    readonly witnessed: string | null;
    /** With how many entries of the old history the rows of keys, grants and aliases were last written. */
    readonly rowsAt: number | null;
  };
  /** Rows of before got their first MACs. */
  readonly AuthenticateRows: null;
  /** A person took rows over that the KMS did not write: one line of text for each. */
  readonly AcceptRows: { readonly findings: readonly string[]; readonly more: number; readonly by: string };
}

/** An event of the log itself. */
export interface LogEvent<Name extends keyof LogEventDetails = keyof LogEventDetails> {
  readonly eventVersion: "1.11";
  readonly userIdentity: { readonly invokedBy: typeof SOURCE };
  readonly eventTime: string;
  readonly eventSource: typeof SOURCE;
  readonly eventName: Name;
  readonly requestParameters: LogEventDetails[Name];
  readonly requestID: string;
  readonly eventID: string;
  readonly readOnly: false;
  readonly eventType: "AwsServiceEvent";
  readonly managementEvent: true;
  readonly eventCategory: "Management";
}

/** The event of what happens to the log at `at` (milliseconds). */
export function logEvent<Name extends keyof LogEventDetails>(
  eventName: Name,
  requestParameters: LogEventDetails[Name],
  at: number,
): LogEvent<Name> {
  return {
    eventVersion: "1.11",
    userIdentity: { invokedBy: SOURCE },
    eventTime: eventTime(at),
    eventSource: SOURCE,
    eventName,
    requestParameters,
    requestID: randomUUID(),
    eventID: randomUUID(),
    readOnly: false,
    eventType: "AwsServiceEvent",
    managementEvent: true,
    eventCategory: "Management",
  };
}

/** Whether an entry's text may be a log event: a client can make a text look so inside, but not at its top. */
const MAY_BE = `"eventSource":"${SOURCE}"`;

const count = z.int().min(0);
const note = z.string().nullable();

/** What is read of log events again, by their names. */
const READ = new Map<unknown, z.ZodType>([
  ["PruneAudit", z.object({ through: count, kept: z.array(count) })],
  ["AcceptAudit", z.object({ found: count, kept: z.array(count), reason: z.string(), stored: note, witnessed: note })],
]);

/**
 * The log event of an entry's text, or null. The text must be known to be the log's; but one that was accepted as it
 * was found can hold any text, and what has not the form of a log event is none.
 */
export function asLogEvent(text: string): LogEvent | null {
  if (!text.includes(MAY_BE)) return null;
  const event = parsed(text);
  if (event?.["eventSource"] !== SOURCE) return null;
  const form = READ.get(event["eventName"]);
  if (form !== undefined && !form.safeParse(event["requestParameters"]).success) return null;
  return event as unknown as LogEvent;
}

/** When an entry was made, in milliseconds; null if its text does not say. */
export function timeOf(text: string): number | null {
  const time = Date.parse(String(parsed(text)?.["eventTime"]));
  return Number.isNaN(time) ? null : time;
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>> | null;
  } catch {
    return null;
  }
}

/** Whether it is the event of this name. */
export const isNamed = <Name extends keyof LogEventDetails>(event: LogEvent, name: Name): event is LogEvent<Name> =>
  event.eventName === name;

/** Who runs this program, as the system says. */
export function operator(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A user id without a name, as in containers.
    return `uid ${process.getuid?.() ?? "unknown"}@${hostname()}`;
  }
}
