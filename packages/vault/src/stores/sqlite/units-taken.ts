/**
 * Units as the writer is given them: checked and copied at the call, in plain values that another thread can be sent.
 * Whatever a caller does to its objects and buffers afterwards changes nothing.
 */
import { VaultError } from "../../errors.ts";
import { parseAddress, parseSubject, parseVersion } from "../../records/address.ts";
import type { Address, Version } from "../../records/address.ts";
import { bucketOf } from "../bucket.ts";
import type { Epoch } from "../gate.ts";
import { checkTags } from "../index-limits.ts";
import type { Filling, Tag } from "../indexes.ts";
import type { Rewrap } from "../inventory.ts";
import type { Capabilities, SubjectRows } from "../store.ts";
import { isSubjectId } from "../subjects.ts";
import type { SubjectState, UnitSubject } from "../subjects.ts";
import type { NewVersion, RemoveChange, Unit, WriteChange, WriteId } from "../units.ts";
import type { UnitEntry } from "../outbox.ts";
import { checkUnitEntry } from "../outbox-limits.ts";
import { takePeople, takePeopleOf } from "../unit-people.ts";
import { moment } from "./columns.ts";
import { ABOUT_NOBODY } from "./whom.ts";
import type { Whom } from "./whom.ts";
import { wrapSetRow } from "./wrap-set-rows.ts";
import type { WrapSetRow } from "./wrap-set-rows.ts";

/** Bytes in memory of their own, which goes over to the thread as it is. */
export type OwnBytes = Uint8Array<ArrayBuffer>;

export interface TakenVersion extends Whom {
  readonly version: Version;
  readonly createdAt: string;
  /** The same in milliseconds since the epoch. */
  readonly since: number;
  readonly wrapSet: WrapSetRow;
  readonly message: OwnBytes;
}

export interface TakenWrite {
  readonly kind: "write";
  readonly epoch: Epoch;
  readonly versions: readonly TakenVersion[];
  readonly subjects: readonly UnitSubject[];
  readonly sealedId: OwnBytes | null;
}

/** A unit as it goes to the writer. */
export interface TakenUnit {
  readonly writeId: WriteId;
  readonly address: Address;
  readonly bucket: number;
  readonly base: Unit["base"];
  /** Whether the next of the call's entries is its own. */
  readonly hasEntry: boolean;
  readonly change: TakenWrite | RemoveChange;
}

/**
 * A unit, its audit entry and its tags, whose bytes are copied when they are packed, in the same turn. Null: there is
 * no audit; no tag is touched.
 */
export interface UnitWithMore {
  readonly unit: TakenUnit;
  readonly entry: UnitEntry | null;
  readonly tags: readonly Tag[] | null;
}

/** A filling, whose tags are packed apart from it. */
export type TakenFilling = Omit<Filling, "tags">;

export interface TakenRewrap extends Omit<Rewrap, "message" | "wrapSet" | "at"> {
  readonly message: OwnBytes | null;
  readonly wrapSet: WrapSetRow;
  readonly since: number;
}

/** A write id is random, and short: what is longer is none. */
const LONGEST_WRITE_ID = 100;

/** @throws VaultError `store-failed`: the units are beyond what the store can do, or are none */
export function takeUnits(
  units: readonly Unit[],
  { atomicUnits, unitItems, unitBytes }: Capabilities,
  isAtomic: boolean,
): readonly UnitWithMore[] {
  if (isAtomic && units.length > atomicUnits)
    throw refused(`one transaction has at most ${atomicUnits} units, not ${units.length}`);
  const taken = units.map((unit) => whole(() => takeUnit(unit)));
  if (new Set(taken.map(({ unit: { address } }) => `${address.collection}/${address.id}`)).size < taken.length)
    throw refused("a record is in two units of one call");
  for (const { unit } of taken) {
    const { change } = unit;
    if (change.kind === "remove") continue;
    const { length } = change.versions;
    if (length === 0 || length > unitItems) throw refused(`a unit has 1 to ${unitItems} versions, not ${length}`);
    const bytes = change.versions.reduce((sum, { message }) => sum + message.length, 0);
    if (bytes > unitBytes) throw refused(`the messages of a unit have at most ${unitBytes} bytes, not ${bytes}`);
  }
  return taken;
}

function takeUnit({ writeId, address, base, entry, change }: Unit): UnitWithMore {
  const own = parseAddress(address);
  const unit: TakenUnit = {
    writeId: takeWriteId(writeId),
    address: own,
    bucket: bucketOf(own),
    base: base === null || base === "damaged" ? base : { version: parseVersion(base.version), state: base.state },
    hasEntry: entry !== undefined,
    change:
      change.kind === "write"
        ? takeWrite(change)
        : { kind: "remove", tombstone: parseVersion(change.tombstone), removedAt: takeMoment(change.removedAt) },
  };
  return {
    unit,
    entry: entry === undefined ? null : checkUnitEntry(entry, unit.writeId),
    tags: (change.kind === "write" ? checkTags(change.tags) : undefined) ?? null,
  };
}

function takeWrite(change: WriteChange): TakenWrite {
  const { subjects, sealedId } = takePeople(change);
  const sealed = sealedId === null ? null : takeBytes(sealedId);
  return { kind: "write", epoch: change.epoch, versions: change.versions.map(takeVersion), subjects, sealedId: sealed };
}

/** @throws RangeError */
function takeWhom(given: NewVersion): Whom {
  const { scheme, about } = takePeopleOf(given);
  const subject = parseSubject(given.subject);
  if (scheme === 2 && !isSubjectId(subject) && !subject.startsWith(ABOUT_NOBODY))
    throw new RangeError("the subject of scheme 2 is an id, or a collection");
  return { scheme, subject, about };
}

function takeVersion(given: NewVersion): TakenVersion {
  const { version, createdAt, wrapSet, message } = given;
  return {
    version: parseVersion(version),
    ...takeWhom(given),
    createdAt: takeMoment(createdAt),
    since: Date.parse(createdAt),
    wrapSet: wrapSetRow(wrapSet),
    message: takeBytes(message),
  };
}

/** @throws VaultError `store-failed` */
export function takeRewrap({ place, seen, epoch, message, keeps, wrapSet, at, lease }: Rewrap): TakenRewrap {
  return whole(() => ({
    place: { ...parseAddress(place), version: parseVersion(place.version) },
    seen: { wrapSet: seen.wrapSet, revision: seen.revision },
    epoch,
    message: message === null ? null : takeBytes(message),
    ...(keeps === true && { keeps }),
    wrapSet: wrapSetRow(wrapSet),
    since: Date.parse(takeMoment(at)),
    lease: lease === null ? null : { job: lease.job, partition: lease.partition, fence: lease.fence },
  }));
}

/** @throws VaultError `store-failed` */
export function takeWrites(
  units: readonly Pick<Unit, "address" | "writeId">[],
): readonly Pick<Unit, "address" | "writeId">[] {
  return units.map(({ address, writeId }) =>
    whole(() => ({ address: parseAddress(address), writeId: takeWriteId(writeId) })),
  );
}

type StateChange = Parameters<SubjectRows["setState"]>[0];

/** @throws VaultError `store-failed` */
export function takeStateChange({ id, from, to }: StateChange): StateChange {
  return whole(() => {
    if (!isSubjectId(id) || ![...from, to].every((state) => STATES.includes(state)))
      throw new RangeError("a person has an id and a state");
    return { id, from: [...from], to };
  });
}

const STATES: readonly SubjectState[] = ["active", "restricted", "erasing", "erased"];

function takeWriteId(id: WriteId): WriteId {
  if (typeof (id as unknown) !== "string" || id === "" || id.length > LONGEST_WRITE_ID)
    throw new RangeError(`a write id has 1 to ${LONGEST_WRITE_ID} characters`);
  return id;
}

function takeMoment(text: string): string {
  if (moment(text) === null) throw new RangeError("a moment is written as toISOString writes it");
  return text;
}

/** A copy in memory of its own: a Buffer may lie in memory that it shares with others of this process. */
function takeBytes(bytes: Uint8Array): OwnBytes {
  const own = new Uint8Array(bytes.length);
  own.set(bytes);
  return own;
}

function whole<Taken>(take: () => Taken): Taken {
  try {
    return take();
  } catch (cause) {
    throw refused(`a unit holds what no vault writes${cause instanceof Error ? ` (${cause.message})` : ""}`, cause);
  }
}

function refused(why: string, cause?: unknown): VaultError {
  return new VaultError("store-failed", `The store does not take this: ${why}`, { cause });
}
