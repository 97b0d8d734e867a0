/**
 * Forgetting: the texts of old entries go, and their leaves stay. Which ones go, an entry `forget` says before, and is
 * in the log before the first of them is gone: so a verification tells a text whose time was over from one that
 * somebody took away. A process that ends in between leaves texts that were said to go: they are said once more.
 */
import { leafHash } from "@strongroom/tlog/tree";
import { VaultError } from "../errors.ts";
import type { AuditLog, PositionRange, WholeLogRow } from "../stores/audit-log.ts";
import type { AuditAction, EntryText } from "./entry.ts";
import { parseEntry } from "./entry-text.ts";
import { isBeside } from "./log-entries.ts";
import { positionsOf, PositionSet, positionsText } from "./positions.ts";
import type { ToldFacts } from "./view.ts";

/**
 * Entries that say what became of others, or of the log itself, keep their texts; those by which a record of before
 * the audit is known, which are about nobody: their heads name no entry that could be looked for; and those by which
 * each start knows who was erased, held and restricted, and each erasure who is held.
 */
const KEPT: ReadonlySet<AuditAction> = new Set<AuditAction>([
  "forget",
  "gap",
  "altered",
  "streams-closed",
  "adopt",
  "adopted",
  "accept-restore",
  "cut",
  "principal",
  "erase",
  "hold",
  "lift-hold",
  "restrict",
  "release",
]);

/** Entries that are looked for at once. */
const AT_ONCE = 10_000;
/** Texts that are read at once, and that go at once, so that nobody waits long for the log. */
const STEP = 500;
/** A detail of an entry has 65,536 characters at most, and a range 31. */
const LONGEST_TEXT = 65_000;
/** Entries `forget` of other processes that may have come after one's own. */
const LOOKED_AT = 50;

/** What forgets. */
export interface ForgettingParts {
  readonly log: Pick<AuditLog, "entries" | "find" | "forget" | "forgettable">;
  readonly tell: (action: "forget", result: "begun" | "done", facts: ToldFacts) => Promise<void>;
  /** Resolves when what was told is in the log. */
  readonly sequence: () => Promise<void>;
  readonly alarm: (code: string, message: string) => void;
}

/** What is forgotten. */
export interface ForgettingOptions {
  /** What is older: ISO 8601, UTC. */
  readonly before: string;
  /** Ends it after the step that is under way. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Forgets what is older. Answers how many entries lost their text.
 *
 * @throws VaultError `audit-unavailable`: what goes could not be said, and has not gone; the log's
 */
export async function forgetOlder(parts: ForgettingParts, { before, signal }: ForgettingOptions): Promise<number> {
  const isEnded = (): boolean => signal?.aborted === true;
  let gone = 0;
  for (let from = 0; !isEnded();) {
    const over = await parts.log.forgettable({ before, keep: [...KEPT], from, limit: AT_ONCE });
    for (const ranges of announcements(await requireOld(parts, over, before)))
      if (!isEnded()) gone += await forgetThese(parts, ranges, before);
    from = (over.at(-1) ?? 0) + 1;
    if (over.length < AT_ONCE) break;
  }
  return gone;
}

/** What an entry says that goes; none: it is no entry of that. */
export function announcedBy({ action, result, details }: EntryText): readonly PositionRange[] {
  return action === "forget" && result === "begun" ? positionsOf(details?.["positions"]) : [];
}

/** Whether entries of this action are never forgotten. */
export const isKept = ({ action }: Pick<EntryText, "action">): boolean => KEPT.has(action);

async function forgetThese(
  { log, tell, sequence }: ForgettingParts,
  ranges: readonly PositionRange[],
  before: string,
): Promise<number> {
  const positions = positionsText(ranges);
  await tell("forget", "begun", { details: { before, positions } });
  await sequence();
  // What waited may have been taken away meanwhile.
  const told = await log.find({ action: "forget" }, { order: "newest", after: null, limit: LOOKED_AT });
  const entries = told.map(({ text }) => (text === null ? null : parseEntry(text)));
  if (!entries.some((entry) => entry?.result === "begun" && entry.details?.["positions"] === positions))
    throw new VaultError("audit-unavailable", "The entry that says what is forgotten is not in the audit's log");
  let gone = 0;
  for (const step of stepsOf(ranges)) gone += await log.forget(step);
  await tell("forget", "done", { details: { before, entries: gone } });
  return gone;
}

/** Of positions, those whose entries are what stands beside them: by it they were found. */
async function requireOld(
  { log, alarm }: ForgettingParts,
  over: readonly number[],
  before: string,
): Promise<PositionSet> {
  const old = new PositionSet();
  const altered = new PositionSet();
  const wanted = new Set(over);
  let from = 0;
  for (const position of over) {
    if (position < from) continue;
    const rows = await log.entries({ from: position, limit: STEP });
    for (const row of rows) {
      if (!wanted.has(row.position)) continue;
      const own = { from: row.position, to: row.position + 1 };
      if (isOld(row, before)) old.add(own);
      // One without a text has lost it to another process meanwhile.
      else if (row.text !== null) altered.add(own);
    }
    from = (rows.at(-1)?.position ?? position) + 1;
  }
  const [first] = altered.ranges;
  if (first !== undefined)
    alarm("altered", `${altered.count} entries of the log, from ${first.from} on, were altered, and are not forgotten`);
  return old;
}

function isOld(row: WholeLogRow, before: string): boolean {
  const { text, leaf } = row;
  const entry = text === null ? null : parseEntry(text);
  if (text === null || entry === null || Buffer.compare(leafHash(text), leaf) !== 0) return false;
  return isBeside(row, entry) && entry.at < before && !isKept(entry);
}

/** As much as one entry can say, each. */
function* announcements({ ranges }: PositionSet): Generator<readonly PositionRange[]> {
  let [some, length]: [PositionRange[], number] = [[], 0];
  for (const range of ranges) {
    const more = positionsText([range]).length + 1;
    if (length + more > LONGEST_TEXT) {
      yield some;
      [some, length] = [[], 0];
    }
    some.push(range);
    length += more;
  }
  if (some.length > 0) yield some;
}

/** So many at once that nobody waits long for the log. */
function* stepsOf(ranges: readonly PositionRange[]): Generator<readonly PositionRange[]> {
  let [step, room]: [PositionRange[], number] = [[], STEP];
  for (const { from, to } of ranges)
    for (let at = from; at < to;) {
      const end = Math.min(to, at + room);
      step.push({ from: at, to: end });
      room -= end - at;
      at = end;
      if (room > 0) continue;
      yield step;
      [step, room] = [[], STEP];
    }
  if (step.length > 0) yield step;
}
