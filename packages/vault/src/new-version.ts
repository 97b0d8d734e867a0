/**
 * Prepares a new version of a record: the change that, committed on the head it was prepared against, writes it.
 */
import type { Keyring } from "@strongroom/envelope";
import type { Address, RecordId, Subject } from "./address.ts";
import type { JsonObject } from "./document.ts";
import type { VaultLimits } from "./limits.ts";
import { nextVersion } from "./record-state.ts";
import type { RecordState } from "./record-state.ts";
import type { WrapSummary } from "./results.ts";
import { sealVersion } from "./sealed-version.ts";
import type { Head, WriteChange } from "./store.ts";

/** What every operation works with. */
export interface Workings {
  readonly keyring: Keyring;
  readonly limits: VaultLimits;
  readonly clock: () => Date;
}

export interface Current {
  readonly head: Head | null;
  readonly state: RecordState;
  /** Of the newest version, null when there is none. */
  readonly subject: Subject | null;
}

/** @throws VaultError as sealVersion does */
export async function newVersion(
  { keyring, limits, clock }: Workings,
  address: Address,
  current: Current,
  input: { readonly document: JsonObject; readonly subject: Subject | null; readonly signal: AbortSignal | undefined },
): Promise<WriteChange> {
  const version = nextVersion(current.state);
  const subject = input.subject ?? inheritedSubject(address.id, current);
  const { message, wraps, missing } = await sealVersion(
    input.document,
    { ...address, subject, version },
    { keyring, limits, signal: input.signal },
  );
  return {
    kind: "write",
    address,
    base: current.head,
    next: { version, subject, createdAt: clock().toISOString(), wraps, message },
    missing,
  };
}

/** A writer who names no subject leaves it as it is: otherwise a plain update would quietly be about someone else. */
function inheritedSubject(id: RecordId, { state, subject }: Current): Subject {
  return state.kind === "live" && subject !== null ? subject : (id as string as Subject);
}

/** A record as it is after `change`, for the next change on top of it. */
export function after({ next }: WriteChange): Current {
  return {
    head: { version: next.version, state: "live" },
    state: { kind: "live", version: next.version },
    subject: next.subject,
  };
}

export function wrapSummary({ next, missing }: WriteChange): WrapSummary {
  return { ...next.wraps, missing: missing.map(({ region }) => region) };
}
