/**
 * Units as the arguments of the function that makes them: one array a column, and all messages in one value of bytes,
 * which the driver sends as they are. Units are sent in the order in which their rows are locked.
 */
import { VaultError } from "../../errors.ts";
import { bucketOf } from "../bucket.ts";
import { STORE_WRITER } from "../gate.ts";
import type { Capabilities } from "../store.ts";
import type { Unit } from "../units.ts";
import { wrapSetDigest, wrapSetForm } from "../wrap-set.ts";
import type { WrapSet } from "../wrap-set.ts";

/** Most bytes of messages in one statement; a unit that has more is one of its own. */
export const STATEMENT_BYTES = 32 * 1024 * 1024;

/** What a statement of units is given besides them. */
export interface ApplyContext {
  readonly vault: string;
  /** 0: as the transaction has it. */
  readonly lockTimeoutMs: number;
  readonly atomic: boolean;
}

/** @throws VaultError `store-failed` for what is beyond the store's capabilities, or is no unit */
export function requireUnits(units: readonly Unit[], capabilities: Capabilities, atomic: boolean): void {
  const refuse = (what: string): never => {
    throw new VaultError("store-failed", `The store cannot do what was asked of it: ${what}`);
  };
  if (atomic && units.length > capabilities.atomicUnits) refuse(`${units.length} units in one transaction`);
  const names = new Set<string>();
  for (const { writeId, address, base, change } of units) {
    if (!/^[\x21-\x7e]{1,64}$/.test(writeId)) refuse("a write without a proper id");
    const name = `${address.collection}/${address.id}`;
    if (names.has(name)) refuse("a record in two units");
    names.add(name);
    if (change.kind === "remove") {
      milliseconds(change.removedAt);
      continue;
    }
    if (base === "damaged") refuse("a write on damaged rows");
    const { versions } = change;
    if (versions.length === 0 || versions.length > capabilities.unitItems)
      refuse(`${versions.length} versions in one unit`);
    if (versions.reduce((sum, { message }) => sum + message.length, 0) > capabilities.unitBytes)
      refuse("a unit of too many bytes");
    for (const [index, { version, createdAt }] of versions.entries()) {
      if (index > 0 && version <= versions[index - 1]!.version) refuse("versions that do not go up");
      milliseconds(createdAt);
    }
  }
}

/** @throws VaultError `store-failed` for what `toISOString` does not write */
export function milliseconds(iso: string): number {
  const time = Date.parse(iso);
  if (Number.isNaN(time) || new Date(time).toISOString() !== iso)
    throw new VaultError("store-failed", "A moment is none in ISO 8601, UTC");
  return time;
}

/** In order of address, and cut where the messages of one statement would be too large. */
export function statementsOf(units: readonly Unit[]): readonly (readonly Unit[])[] {
  const sorted = units
    .map((unit) => ({ unit, name: Buffer.from(`${unit.address.collection}\0${unit.address.id}`) }))
    .sort((a, b) => Buffer.compare(a.name, b.name))
    .map(({ unit }) => unit);
  const parts: Unit[][] = [];
  let bytes = 0;
  for (const unit of sorted) {
    const more = unit.change.kind === "write" ? unit.change.versions.reduce((sum, v) => sum + v.message.length, 0) : 0;
    if (parts.length === 0 || bytes + more > STATEMENT_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(unit);
    bytes += more;
  }
  return parts;
}

/** The arguments of `apply_v1`, in its order. */
export function applyArguments(units: readonly Unit[], { vault, lockTimeoutMs, atomic }: ApplyContext): unknown[] {
  const versions = units.flatMap(({ change }, unit) =>
    change.kind === "write" ? change.versions.map((version) => ({ ...version, unit: unit + 1 })) : [],
  );
  let start = 1;
  const starts = versions.map(({ message }) => {
    const own = start;
    start += message.length;
    return own;
  });
  const digests = digestsOf();
  return [
    vault,
    STORE_WRITER,
    Math.ceil(lockTimeoutMs),
    atomic,
    units.map(({ writeId }) => writeId),
    units.map(({ address }) => address.collection),
    units.map(({ address }) => address.id),
    units.map(({ base }) => (base === null ? "none" : base === "damaged" ? base : base.state)),
    units.map(({ base }) => (base === null || base === "damaged" ? null : base.version)),
    units.map(({ change }) => (change.kind === "write" ? change.epoch : null)),
    units.map(({ change }) => (change.kind === "write" ? change.versions[0]!.version : change.tombstone)),
    units.map(({ change }) => (change.kind === "write" ? change.versions.at(-1)!.version : change.tombstone)),
    units.map(({ change }) =>
      milliseconds(change.kind === "write" ? change.versions.at(-1)!.createdAt : change.removedAt),
    ),
    units.map(({ address }) => bucketOf(address)),
    versions.map(({ unit }) => unit),
    versions.map(({ version }) => version),
    versions.map(({ subject }) => subject),
    versions.map(({ createdAt }) => milliseconds(createdAt)),
    versions.map(({ wrapSet }) => digests(wrapSet)),
    starts,
    versions.map(({ message }) => message.length),
    joined(versions.map(({ message }) => message)),
  ];
}

function joined(messages: readonly Uint8Array[]): Buffer {
  const [only] = messages;
  if (messages.length === 1 && only !== undefined) return Buffer.from(only.buffer, only.byteOffset, only.byteLength);
  return Buffer.concat(messages);
}

/** Digests of sets, each distinct object once: the units of a batch mostly share one. */
function digestsOf(): (set: WrapSet) => string {
  const known = new Map<WrapSet, string>();
  return (set) => {
    const digest = known.get(set) ?? wrapSetDigest(wrapSetForm(set));
    known.set(set, digest);
    return digest;
  };
}

/** The wrap sets of units, each distinct one once. */
export function wrapSetsOf(units: readonly Unit[]): readonly WrapSet[] {
  const sets = new Map<string, WrapSet>();
  for (const { change } of units)
    if (change.kind === "write") for (const { wrapSet } of change.versions) sets.set(wrapSetForm(wrapSet), wrapSet);
  return [...sets.values()];
}
