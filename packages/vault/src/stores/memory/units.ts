/**
 * Units: made in a draft, which is committed when all of them are made. The rules of compare-and-swap are in
 * `makeUnit`, in the order in which they are asked.
 */
import { VaultError } from "../../errors.ts";
import { parseAddress, parseSubject, parseVersion } from "../../records/address.ts";
import type { Version } from "../../records/address.ts";
import type { Epoch } from "../gate.ts";
import { parseMoment } from "../moment.ts";
import type { Head } from "../rows.ts";
import type { Capabilities } from "../store.ts";
import type { NewVersion, Outcome, RemoveChange, Unit, UnitResult, WriteChange, WriteId } from "../units.ts";
import { takeTags } from "../index-limits.ts";
import { takeUnitEntry } from "../outbox-limits.ts";
import { takePeople, takePeopleOf } from "../unit-people.ts";
import { countWraps, internWrapSet } from "./common-tables.ts";
import { writeNext } from "./outbox.ts";
import { noteSubjects, refusalOf } from "./subjects.ts";
import { Draft, recordKey } from "./tables.ts";
import type { MemoryTables, RecordRow, Tables, VersionRow } from "./tables.ts";
import { holdTags, takenIndex, writtenTags } from "./tags.ts";
import type { TagTables } from "./tags.ts";

/**
 * The units as they are now, checked: nobody changes them afterwards.
 *
 * @throws VaultError `store-failed`: they are beyond what the store can do, or are no units
 */
export function takeUnits(
  units: readonly Unit[],
  { atomicUnits, unitItems, unitBytes }: Capabilities,
  isAtomic: boolean,
): readonly Unit[] {
  if (isAtomic && units.length > atomicUnits)
    throw refused(`one transaction has at most ${atomicUnits} units, not ${units.length}`);
  if (new Set(units.map(({ address }) => recordKey(address))).size < units.length)
    throw refused("a record is in two units of one call");
  return units.map((unit) => {
    const { change } = unit;
    if (change.kind === "write") {
      if (change.versions.length === 0) throw refused("a unit has no version");
      if (change.versions.length > unitItems)
        throw refused(`a unit has at most ${unitItems} versions, not ${change.versions.length}`);
      const bytes = change.versions.reduce((sum, { message }) => sum + message.length, 0);
      if (bytes > unitBytes) throw refused(`the messages of a unit have at most ${unitBytes} bytes, not ${bytes}`);
    }
    try {
      return copyUnit(unit);
    } catch (cause) {
      throw refused("a unit holds what no vault writes", cause);
    }
  });
}

function refused(why: string, cause?: unknown): VaultError {
  return new VaultError("store-failed", `The store does not take this: ${why}`, { cause });
}

/** Whatever a caller's object answers the next time that it is asked, and whatever becomes of its buffers. */
function copyUnit({ writeId, address, base, entry, change }: Unit): Unit {
  return {
    ...(entry !== undefined && { entry: takeUnitEntry(entry, writeId) }),
    writeId,
    address: parseAddress(address),
    base: base === null || base === "damaged" ? base : { version: parseVersion(base.version), state: base.state },
    change:
      change.kind === "remove"
        ? { kind: "remove", tombstone: parseVersion(change.tombstone), removedAt: parseMoment(change.removedAt) }
        : copyWrite(change),
  };
}

function copyWrite({ epoch, versions, tags, ...people }: WriteChange): WriteChange {
  const own = versions.map(copyVersion);
  return {
    kind: "write",
    epoch,
    versions: own,
    ...takePeople({ ...people, epoch, versions: own }),
    tags: takeTags(tags),
  };
}

function copyVersion(given: NewVersion): NewVersion {
  const own = { ...given, subject: parseSubject(given.subject) };
  return {
    ...takePeopleOf(own),
    version: parseVersion(own.version),
    subject: own.subject,
    createdAt: parseMoment(own.createdAt),
    wrapSet: structuredClone(own.wrapSet),
    message: Buffer.from(own.message),
  };
}

/** What units are made at. */
export interface Now {
  readonly epoch: Epoch;
  /** By the store's clock: ISO 8601, UTC. */
  readonly at: string;
}

/** Makes all units or none, in the tables. */
export function applyTogether(tables: Tables, units: readonly Unit[], { epoch, at }: Now): readonly UnitResult[] {
  const draft = new Draft(tables);
  const areNext = units.map(({ entry }) => entry === undefined || writeNext(draft, entry, at));
  if (areNext.includes(false)) return areNext.map((isIt) => ({ kind: isIt ? "not-made" : "stream-moved" }));
  const results = units.map((unit) => makeUnit(draft, tables, unit, epoch));
  if (results.every(({ kind }) => kind === "made")) {
    draft.commit();
    return results;
  }
  return results.map((result) => (result.kind === "made" ? { kind: "not-made" } : result));
}

/** Makes each unit by itself. */
export function applyEach(tables: Tables, units: readonly Unit[], now: Now): readonly UnitResult[] {
  return units.flatMap((unit) => applyTogether(tables, [unit], now));
}

/** @param before as it was when the call began: what a unit of the call gives up is not free for another one */
function makeUnit(
  tables: Tables,
  before: TagTables,
  { writeId, address, base, entry, change }: Unit,
  epoch: Epoch,
): UnitResult {
  // Settled before: somebody was told that it is not made, or that it is.
  if (tables.writes.get(writeId) !== undefined) return { kind: "conflict" };
  if (change.kind === "write" && change.epoch !== epoch) return { kind: "gate-moved", epoch };
  const key = recordKey(address);
  const record = tables.records.get(key);
  const highest = Math.max(record?.head.version ?? 0, record?.versions.at(-1)?.version ?? 0);
  if (!isBase(record, base)) return { kind: "conflict" };
  if (entry !== undefined && entry.previous !== (record?.entry ?? null)) return { kind: "conflict" };
  const made = change.kind === "remove" ? remove(change, highest) : write(tables, change, highest, record);
  if (made === null) return { kind: "conflict" };
  if (change.kind === "write") {
    const refusal = refusalOf(tables, change.subjects);
    if (refusal !== null) return refusal;
    noteSubjects(tables, change.subjects);
  }
  const had = record?.tags ?? [];
  const tags =
    change.kind === "remove" ? [] : change.tags === undefined ? had : writtenTags(tables, address, change.tags);
  const index = takenIndex(before, key, tags) ?? takenIndex(tables, key, tags);
  if (index !== undefined) return { kind: "taken", index };
  holdTags(tables, key, had, tags);
  tables.records.set(key, { address, entry: entry?.id ?? null, ...made, tags });
  tables.writes.set(writeId, "made");
  return { kind: "made" };
}

/** Rows here always fit together: nobody can have found them damaged. */
function isBase(record: RecordRow | undefined, base: Unit["base"]): boolean {
  if (base === "damaged") return false;
  const head: Head | null = record?.head ?? null;
  return head?.version === base?.version && head?.state === base?.state;
}

type Made = Omit<RecordRow, "address" | "entry" | "tags">;

/** Null: a number would come twice, or go back. */
function write(tables: Tables, change: WriteChange, highest: number, record: RecordRow | undefined): Made | null {
  const { versions, subjects, sealedId } = change;
  const rows: VersionRow[] = [];
  let [last, updatedAt]: [number, string] = [highest, ""];
  for (const { wrapSet, ...given } of versions) {
    const { version, createdAt } = given;
    if (version <= last) return null;
    [last, updatedAt] = [version, createdAt];
    rows.push({
      ...given,
      message: given.message as Buffer,
      wraps: countWraps(wrapSet),
      wrapSet: internWrapSet(tables, wrapSet),
      since: createdAt,
      revision: 0,
      failure: null,
      kept: null,
    });
  }
  return {
    head: { version: last as Version, state: "live" },
    updatedAt,
    sealedId,
    versions: [...(record?.versions ?? []), ...rows],
    links: [...new Set([...(record?.links ?? []), ...subjects.map(({ id }) => id)])],
  };
}

function remove({ tombstone, removedAt }: RemoveChange, highest: number): Made | null {
  if (tombstone < highest) return null;
  return {
    head: { version: tombstone, state: "removed" },
    updatedAt: removedAt,
    sealedId: null,
    versions: [],
    links: [],
  };
}

/** What became of writes. What is not made by now never will be. */
export function settle({ writes }: MemoryTables, writeIds: readonly WriteId[]): readonly Outcome[] {
  return writeIds.map((writeId) => {
    const settled = writes.get(writeId) ?? "void";
    writes.set(writeId, settled);
    return settled;
  });
}
