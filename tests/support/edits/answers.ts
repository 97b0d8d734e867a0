/**
 * What a vault answers, held against what is true: right, refused with a code, or something else. A document that is not
 * the record's, or an older one, or a record said to be absent that is there, is a wrong answer. A list or a history
 * that lacks something, a time, and somebody's restriction are told apart from that: nothing that is opened proves them.
 */
import assert from "node:assert/strict";
import { isVaultError } from "@strongroom/vault";
import type { Vault } from "@strongroom/vault";
import { COLLECTIONS, documentOf, nameOf, PEOPLE, RECORDS, RESTRICTED, truthOf } from "./world.ts";
import type { TrialRecord, Truth } from "./world.ts";

/** What was answered. */
export class Answers {
  /** Codes of what was refused, and was not to be refused. */
  readonly refused = new Set<string>();
  /** Wrong answers, in words. */
  readonly wrong: string[] = [];
  /** Other things that are not as they were, in words. */
  readonly differing = new Set<string>();
  right = 0;

  /** Notes an answer. */
  note(answer: Answer): void {
    const [kind, what] = answer;
    if (kind === "right") this.right++;
    else if (kind === "refused") this.refused.add(what);
    else if (kind === "wrong") this.wrong.push(what);
    else this.differing.add(what);
  }

  add(other: Answers): void {
    for (const code of other.refused) this.refused.add(code);
    this.wrong.push(...other.wrong);
    for (const one of other.differing) this.differing.add(one);
    this.right += other.right;
  }
}

type Answer = readonly ["right"] | readonly ["refused" | "wrong" | "differs", string];

const RIGHT: Answer = ["right"];

/** Which records are looked at: those that something was changed of, or all of them, less closely. */
export type Looked = readonly TrialRecord[] | "all";

/** Reads records, each of their versions and their histories, every list, and what is said of people. */
export async function readAll(vault: Vault, looked: Looked): Promise<Answers> {
  const work = [
    ...(looked === "all" ? RECORDS.flatMap((record) => readsOf(vault, record).slice(0, 2)) : []),
    ...(looked === "all" ? HISTORIES.map((record) => () => history(vault, record, truthOf(record))) : []),
    ...(looked === "all" ? [] : looked.flatMap((record) => readsOf(vault, record))),
    ...Object.keys(COLLECTIONS).map((collection) => () => listOf(vault, collection)),
    ...PEOPLE.flatMap((person) => [() => recordsOf(vault, person), () => stateOf(vault, person)]),
  ];
  return answersOf(work);
}

/** Histories that are asked for where all records are looked at. */
const HISTORIES = RECORDS.filter((_, index) => index % 3 === 0);

/** Reads the newest of each. */
export function readNewest(vault: Vault, looked: Looked): Promise<Answers> {
  const records = looked === "all" ? RECORDS : looked;
  return answersOf(records.map((record) => () => newest(vault, record, truthOf(record))));
}

async function answersOf(work: readonly (() => Promise<Answer>)[]): Promise<Answers> {
  const answers = new Answers();
  await atOnce(work, async (one) => {
    answers.note(await one());
  });
  return answers;
}

/** Records that are written where all are looked at. */
const WRITTEN = RECORDS.filter(({ id }) => ["ada-1", "gone", "case-1@example.org", "colours"].includes(id));

/** Writes a version of each that may be written, and reads it. */
export async function writeAll(vault: Vault, looked: Looked): Promise<Answers> {
  const answers = new Answers();
  await atOnce(looked === "all" ? WRITTEN : looked, async (record) => {
    const truth = truthOf(record);
    if (truth.state === "restricted") return;
    const next = truth.last + 1;
    const about = record.about.length === 0 ? {} : { about: record.about };
    const put = await outcomeOf(() => vault.put(record, documentOf(record, next), about));
    if ("code" in put) {
      answers.note(["refused", put.code]);
      return;
    }
    const { version } = put.result;
    if (version !== next)
      answers.note([
        "differs",
        `a write was given the number ${version < next ? "of one of before" : "of a later one"}`,
      ]);
    const read = await outcomeOf(() => vault.get(record));
    if ("code" in read) answers.note(["refused", read.code]);
    else answers.note(sameAs(read.result.document, documentOf(record, next), `${nameOf(record)} after a write`));
  });
  return answers;
}

function readsOf(vault: Vault, record: TrialRecord): readonly (() => Promise<Answer>)[] {
  const truth = truthOf(record);
  const numbers = Array.from({ length: truth.last }, (_, index) => index + 1);
  return [
    () => newest(vault, record, truth),
    ...numbers.map((version) => () => older(vault, record, truth, version)),
    () => history(vault, record, truth),
  ];
}

async function newest(vault: Vault, record: TrialRecord, truth: Truth): Promise<Answer> {
  const read = await outcomeOf(() => vault.get(record));
  if ("code" in read) return refusal(read.code, truth, `${nameOf(record)} is said to be absent`);
  if (truth.state === "removed") return ["wrong", `${nameOf(record)} was removed and is given`];
  const { document, subject, about = [], version } = read.result;
  const isOwn = subject === record.person && same([...about].sort(), [...record.about].sort());
  if (!isOwn) return ["wrong", `${nameOf(record)} is said to be about somebody else`];
  if (version !== truth.last) return ["wrong", `${nameOf(record)} is given as version ${version}`];
  if (truth.state === "restricted" && same(document, documentOf(record, version)))
    return ["differs", "what is about a restricted person is given"];
  return sameAs(document, documentOf(record, truth.last), nameOf(record));
}

async function older(vault: Vault, record: TrialRecord, truth: Truth, version: number): Promise<Answer> {
  const read = await outcomeOf(() => vault.get(record, { version }));
  if ("code" in read) {
    if (read.code === "version-absent" && truth.state !== "removed")
      return truth.versions.includes(version) ? ["differs", "a version is said to be absent"] : RIGHT;
    return refusal(read.code, truth, `version ${version} of ${nameOf(record)} is said to be absent`);
  }
  if (!truth.versions.includes(version)) return ["wrong", `version ${version} of ${nameOf(record)} is given`];
  if (truth.state === "restricted") return ["differs", "what is about a restricted person is given"];
  return sameAs(read.result.document, documentOf(record, version), `version ${version} of ${nameOf(record)}`);
}

async function history(vault: Vault, record: TrialRecord, truth: Truth): Promise<Answer> {
  const read = await outcomeOf(() => vault.history(record));
  if ("code" in read) return refusal(read.code, truth, `${nameOf(record)} is said to have no history`);
  if (truth.state === "removed") return ["wrong", `${nameOf(record)} was removed and has a history`];
  const { result } = read;
  const named = truth.state === "restricted" ? null : record.person;
  if (
    !same(
      result.map(({ version }) => version),
      truth.versions.toReversed(),
    )
  )
    return ["differs", "a history lacks versions"];
  return result.every(({ subject }) => subject === named) ? RIGHT : ["differs", "a history names other people"];
}

/** What is refused where it is to be refused is right. */
function refusal(code: string, { state }: Truth, absent: string): Answer {
  const isAbsent = code === "record-absent" || code === "version-absent" || code === "collection-absent";
  if (state === "removed" && isAbsent) return RIGHT;
  if (state === "restricted" && code === "subject-restricted") return RIGHT;
  return isAbsent ? ["wrong", absent] : ["refused", code];
}

async function listOf(vault: Vault, collection: string): Promise<Answer> {
  const read = await outcomeOf(() => vault.list(collection));
  const own = RECORDS.filter((record) => record.collection === collection && truthOf(record).state !== "removed");
  if ("code" in read)
    return read.code === "collection-absent" ? ["differs", "a list lacks records"] : ["refused", read.code];
  const { items, damaged = [] } = read.result;
  const [first] = damaged;
  if (first !== undefined) return ["refused", first.code];
  const listed = new Map(items.map(({ id, version }) => [id, version]));
  if (listed.size < items.length) return ["wrong", `${collection} lists an id twice`];
  if (items.some(({ id }) => !own.some((record) => record.id === id)))
    return ["wrong", `${collection} lists an id too many`];
  if (items.length < own.length) return ["differs", "a list lacks records"];
  return own.every((record) => listed.get(record.id) === truthOf(record).last)
    ? RIGHT
    : ["wrong", `${collection} lists another version`];
}

async function recordsOf(vault: Vault, person: string): Promise<Answer> {
  const read = await outcomeOf(() => vault.subjects.records(person));
  if ("code" in read) return ["refused", read.code];
  const own = RECORDS.filter(
    (record) =>
      (record.person === person || record.about.some((one) => one === person)) && truthOf(record).state !== "removed",
  );
  const found = read.result.items.map(({ collection, id }) => `${collection}/${id ?? ""}`);
  return same(found.sort(), own.map(nameOf).sort()) ? RIGHT : ["differs", "the list of a person's records"];
}

async function stateOf(vault: Vault, person: string): Promise<Answer> {
  const read = await outcomeOf(() => vault.subjects.state(person));
  if ("code" in read) return ["refused", read.code];
  return read.result === (person === RESTRICTED ? "restricted" : "active")
    ? RIGHT
    : ["differs", "the state of a person"];
}

const sameAs = (document: unknown, expected: unknown, what: string): Answer =>
  same(document, expected) ? RIGHT : ["wrong", `${what}: ${JSON.stringify(document)}`];

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** A result, or the code of a refusal. @throws AssertionError at an error that is none of the vault's */
export async function outcomeOf<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T } | { readonly code: string }> {
  try {
    return { result: await work() };
  } catch (error) {
    assert.ok(isVaultError(error), error instanceof Error ? (error.stack ?? "") : String(error));
    assert.doesNotMatch(`${error.message} ${JSON.stringify(error)}`, /what \w+\/.* holds/);
    return { code: error.code };
  }
}

const AT_ONCE = 64;

async function atOnce<T>(list: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = list.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
