/**
 * Units as the arguments of the function that makes them: one array a column, and all messages in one value of bytes,
 * which the driver sends as they are. Units are sent in the order in which their rows are locked.
 */
import { VaultError } from "../../errors.ts";
import { bucketOf } from "../bucket.ts";
import { whole } from "../checked.ts";
import { checkTags } from "../index-limits.ts";
import { STORE_WRITER } from "../gate.ts";
import type { UnitEntry } from "../outbox.ts";
import type { Capabilities } from "../store.ts";
import type { UnitSubject } from "../subjects.ts";
import { takePeople, takePeopleOf } from "../unit-people.ts";
import { checkUnitEntry } from "../outbox-limits.ts";
import type { NewVersion, Unit } from "../units.ts";
import { entryArguments, previousOf } from "./entries.ts";
import { asBuffer, cutBySize, cutsOf, joined } from "./sent-bytes.ts";
import { tagArguments } from "./tags.ts";
import { wrapSetDigest, wrapSetForm } from "../wrap-set.ts";
import type { WrapSet } from "../wrap-set.ts";

/** What a statement of units is given besides them. */
export interface ApplyContext {
  readonly vault: string;
  /** 0: as the transaction has it. */
  readonly lockTimeoutMs: number;
  readonly atomic: boolean;
  /** The units that it makes, in the order in which the caller gave them. */
  readonly given: readonly Unit[];
  /** Those of the units that it writes with them, in the order in which the caller gave the units. */
  readonly entries: readonly UnitEntry[];
}

/** @throws VaultError `store-failed` for what is beyond the store's capabilities, or is no unit */
export function requireUnits(units: readonly Unit[], capabilities: Capabilities, atomic: boolean): void {
  const refuse = (what: string): never => {
    throw new VaultError("store-failed", `The store cannot do what was asked of it: ${what}`);
  };
  if (atomic && units.length > capabilities.atomicUnits) refuse(`${units.length} units in one transaction`);
  const names = new Set<string>();
  for (const { writeId, address, entry, change } of units) {
    if (!/^[\x21-\x7e]{1,64}$/.test(writeId)) refuse("a write without a proper id");
    const name = `${address.collection}/${address.id}`;
    if (names.has(name)) refuse("a record in two units");
    names.add(name);
    if (entry !== undefined) whole(() => checkUnitEntry(entry, writeId));
    if (change.kind === "remove") {
      milliseconds(change.removedAt);
      continue;
    }
    const { versions } = change;
    if (versions.length === 0 || versions.length > capabilities.unitItems)
      refuse(`${versions.length} versions in one unit`);
    if (versions.reduce((sum, { message }) => sum + message.length, 0) > capabilities.unitBytes)
      refuse("a unit of too many bytes");
    for (const version of versions) {
      milliseconds(version.createdAt);
      takePeopleOf(version);
    }
    takePeople(change);
    whole(() => checkTags(change.tags));
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
  return cutBySize(sorted, ({ change, entry }) => {
    const messages = change.kind === "write" ? change.versions.map(({ message }) => message) : [];
    return messages.reduce((sum, { length }) => sum + length, entry?.text.length ?? 0);
  });
}

/** The arguments of `apply_v5`, in its order. */
export function applyArguments(units: readonly Unit[], context: ApplyContext): unknown[] {
  const { vault, lockTimeoutMs, atomic, given, entries } = context;
  const versions = units.flatMap(({ change }, unit) =>
    change.kind === "write" ? change.versions.map((version) => ({ ...version, unit: unit + 1 })) : [],
  );
  const messages = versions.map(({ message }) => message);
  const { starts, sizes } = cutsOf(messages);
  const unitOf = new Map(units.map(({ writeId }, unit): readonly [string, number] => [writeId, unit + 1]));
  const digests = digestsOf();
  const people = units.flatMap(({ change }, unit) =>
    change.kind === "write" ? change.subjects.map((person) => ({ ...person, unit: unit + 1 })) : [],
  );
  const heads = units.map(headAfter);
  return [
    vault,
    STORE_WRITER,
    Math.ceil(lockTimeoutMs),
    atomic,
    units.map(({ writeId }) => writeId),
    units.map(({ address }) => address.collection),
    units.map(({ address }) => address.id),
    units.map(baseOf),
    units.map(({ base }) => (base === null || base === "damaged" ? null : base.version)),
    units.map(({ change }) => (change.kind === "write" ? change.epoch : null)),
    heads.map(({ first }) => first),
    heads.map(({ last }) => last),
    heads.map(({ at }) => at),
    units.map(({ address }) => bucketOf(address)),
    versions.map(({ unit }) => unit),
    versions.map(({ version }) => version),
    versions.map(({ subject }) => subject),
    versions.map(({ createdAt }) => milliseconds(createdAt)),
    versions.map(({ wrapSet }) => digests(wrapSet)),
    starts,
    sizes,
    joined(messages),
    versions.map(({ scheme }) => scheme),
    versions.map(aboutColumn),
    units.map(({ change }) => (change.kind === "write" && change.sealedId !== null ? asBuffer(change.sealedId) : null)),
    people.map(({ unit }) => unit),
    ...peopleArguments(people),
    units.map(previousOf),
    units.map(({ entry }) => entry?.id ?? null),
    entries.map(({ id }) => unitOf.get(id)),
    ...entryArguments(entries),
    ...tagArguments(units, given),
  ];
}

/**
 * The arguments of `put_v3`, in its order: of one unit that is one new version. Null: it is more. `put_v4` takes the
 * tags besides.
 */
export function putArguments(units: readonly Unit[], context: ApplyContext): unknown[] | null {
  const [unit] = units;
  if (unit?.change.kind !== "write" || units.length !== 1) return null;
  const { epoch, versions } = unit.change;
  const [version] = versions;
  if (version === undefined || versions.length !== 1) return null;
  const { vault, lockTimeoutMs, entries } = context;
  const { writeId, address, base } = unit;
  const [entry] = entries;
  return [
    vault,
    STORE_WRITER,
    Math.ceil(lockTimeoutMs),
    writeId,
    address.collection,
    address.id,
    baseOf(unit),
    base === null || base === "damaged" ? null : base.version,
    epoch,
    bucketOf(address),
    version.version,
    version.subject,
    milliseconds(version.createdAt),
    wrapSetDigest(wrapSetForm(version.wrapSet)),
    joined([version.message]),
    version.scheme,
    aboutColumn(version),
    unit.change.sealedId === null ? null : asBuffer(unit.change.sealedId),
    ...peopleArguments(unit.change.subjects),
    previousOf(unit),
    unit.entry?.id ?? null,
    ...(entry === undefined
      ? Array<null>(6).fill(null)
      : [entry.stream, entry.number, entry.ends, entry.tag, asBuffer(entry.mac), asBuffer(entry.text)]),
  ];
}

/** What the head becomes: its number, the lowest of the numbers that come with it, and when. */
function headAfter({ change }: Unit): { readonly first: number; readonly last: number; readonly at: number } {
  if (change.kind === "remove")
    return { first: change.tombstone, last: change.tombstone, at: milliseconds(change.removedAt) };
  const [first, last] = [change.versions[0], change.versions.at(-1)];
  if (first === undefined || last === undefined) throw new VaultError("store-failed", "A unit has no version");
  return { first: first.version, last: last.version, at: milliseconds(last.createdAt) };
}

/** `never`: nothing is such a head. Nobody writes on damaged rows, and numbers only go up. */
function baseOf({ base, change }: Unit): string {
  if (change.kind === "write") {
    const goUp = change.versions.every(({ version }, index) => version > (change.versions[index - 1]?.version ?? 0));
    if (base === "damaged" || !goUp) return "never";
  }
  if (base === null) return "none";
  return base === "damaged" ? base : base.state;
}

/** Further people as the column has them. */
const aboutColumn = ({ about }: NewVersion): string | null => (about.length === 0 ? null : about.join(","));

/** The three arrays of people that a function takes. */
export const peopleArguments = (people: readonly UnitSubject[]): unknown[] => [
  people.map(({ id }) => id),
  people.map(({ scope }) => scope),
  people.map(({ ordinal }) => ordinal),
];

/** Digests of sets, each distinct object once: the units of a batch mostly share one. */
export function digestsOf(): (set: WrapSet) => string {
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
