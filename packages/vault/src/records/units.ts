/**
 * Has units made, and finds out what became of them when the answer was lost: neither a false conflict nor a second
 * version comes of a connection that breaks while it commits.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { mapBounded } from "@strongroom/base/work";
import { isVaultError, VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { EntryDraft } from "../audit/auditor.ts";
import type { UnitEntry } from "../stores/outbox.ts";
import type { Store } from "../stores/store.ts";
import type { Asked } from "./asked.ts";
import type { NewVersion, Outcome, Unit, UnitResult, WriteId } from "../stores/units.ts";

/** What became of a unit. `void`: its answer was lost, and it was not made. */
export type Settled = Exclude<UnitResult, { readonly kind: "stream-moved" }> | { readonly kind: "void" };

/** A unit, and its entry in the audit; null: there is no audit. */
export interface Drafted {
  readonly unit: Unit;
  readonly draft: EntryDraft | null;
}

/** How units are made. */
export interface MakeOptions {
  readonly atomic: boolean;
  readonly asked: Asked;
  readonly signal: AbortSignal | undefined;
}

/** Units with entries that a store makes each for itself: so many at a time. */
const UNITS_AT_ONCE = 8;

/** How long a store that cannot be reached is asked for what became of a write, in milliseconds. */
const SETTLE_MS = 5_000;

/** First and longest pause between two questions. */
const SETTLE_PAUSE_MS = 10;
const LONGEST_SETTLE_PAUSE_MS = 500;

/** Failures of a store that may be over in a moment. */
const PASSING: ReadonlySet<VaultErrorCode> = new Set<VaultErrorCode>(["store-failed", "outcome-unknown"]);

/** A name for one attempt to write. */
export const newWriteId = (): WriteId => randomUUID() as string as WriteId;

/**
 * What became of each unit, in its place.
 *
 * @throws VaultError of the store; `outcome-unknown` when it was lost and did not come back in time to be asked
 */
export async function makeUnits(
  store: Pick<Store, "records">,
  drafted: readonly Drafted[],
  options: MakeOptions,
): Promise<readonly Settled[]> {
  const { atomic, asked } = options;
  // Entries of several transactions cannot have numbers of one stream: each may be made without the one before it.
  if (asked.isAudited && !atomic && drafted.length > 1)
    return (await mapBounded(drafted, UNITS_AT_ONCE, (one) => makeUnits(store, [one], options))).flat();
  const drafts = drafted.map(({ draft }) => draft);
  const made = await asked.numbered(drafts, (entries) => applied(store, withEntries(drafted, entries), options));
  return made.map((one) => {
    if (one.kind !== "stream-moved") return one;
    throw new VaultError("store-failed", "The store says of a write that its entry's number is wrong, and it has none");
  });
}

/** The units of one transaction, with the entries that they get; none: they get none. */
export function withEntries(drafted: readonly Drafted[], entries: readonly UnitEntry[]): readonly Unit[] {
  return drafted.map(({ unit }, index) => {
    const entry = entries[index];
    return entry === undefined ? unit : { ...unit, entry };
  });
}

async function applied(
  { records }: Pick<Store, "records">,
  units: readonly Unit[],
  { atomic, signal }: Pick<MakeOptions, "atomic" | "signal">,
): Promise<readonly (UnitResult | { readonly kind: "void" })[]> {
  try {
    const results = await records.apply(units, { atomic });
    if (results.length === units.length) return results;
    throw new VaultError("outcome-unknown", "The store did not say of each unit what became of it");
  } catch (error) {
    if (!isVaultError(error) || error.code !== "outcome-unknown") throw error;
    const outcomes = await settledOutcomes(records, units, { lost: error, signal });
    return outcomes.map((kind) => ({ kind }));
  }
}

async function settledOutcomes(
  records: Store["records"],
  units: readonly Unit[],
  { lost, signal }: { readonly lost: VaultError; readonly signal: AbortSignal | undefined },
): Promise<readonly Outcome[]> {
  const until = performance.now() + SETTLE_MS;
  const asked = units.map(({ address, writeId }) => ({ address, writeId }));
  for (let pause = SETTLE_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_SETTLE_PAUSE_MS)) {
    try {
      const outcomes = await within(records.outcome(asked), until - performance.now(), signal);
      if (outcomes.length === units.length) return outcomes;
    } catch (error) {
      const isOver = signal?.aborted === true || performance.now() + pause >= until;
      if (isOver || !isVaultError(error) || !PASSING.has(error.code)) throw unknown(lost);
    }
    await delay(pause, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    if (signal?.aborted === true || performance.now() >= until) throw unknown(lost);
  }
}

function unknown(cause: VaultError): VaultError {
  return new VaultError("outcome-unknown", "The store was lost while it wrote, and cannot be asked what became of it", {
    cause,
  });
}

/** What `work` comes to, unless it takes too long or the caller gives up. */
async function within<Result>(work: Promise<Result>, ms: number, signal: AbortSignal | undefined): Promise<Result> {
  const ended = new AbortController();
  const stop = signal === undefined ? ended.signal : AbortSignal.any([ended.signal, signal]);
  const late = delay(Math.max(ms, 1), undefined, { signal: stop }).then(() => {
    throw new VaultError("store-failed", "The store did not answer in time");
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    ended.abort();
    // Whichever came second is nobody's failure any more.
    work.catch(() => undefined);
  }
}

/**
 * That a store can make such a unit. Asked with the documents' bytes before anything is sealed, and with the messages'
 * after it.
 *
 * @throws VaultError `document-too-large`, `batch-too-large`
 */
export function requireUnitFits(
  { capabilities: { unitItems, unitBytes } }: Pick<Store, "capabilities">,
  parts: readonly Uint8Array[],
): void {
  if (parts.length > unitItems)
    throw new VaultError(
      "batch-too-large",
      `The batch has ${parts.length} documents for one record; the store takes at most ${unitItems} at once`,
    );
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  if (bytes <= unitBytes) return;
  throw parts.length === 1
    ? new VaultError("document-too-large", `The document takes ${bytes} bytes; the store takes at most ${unitBytes}`)
    : new VaultError(
        "batch-too-large",
        `The batch's documents for one record take ${bytes} bytes; the store takes at most ${unitBytes} at once`,
      );
}

/** The messages of new versions, whose sizes count. */
export const messagesOf = (versions: readonly NewVersion[]): readonly Uint8Array[] =>
  versions.map(({ message }) => message);
