/**
 * The people: whoever has a row has a name that opens and keys without holes; who was erased has none; records that a
 * person is said to have are there, and about them; and whoever has keys has a row. Everything that does not fit is
 * looked at once more: somebody may be made, or erased, while it is looked at.
 */
import { isVaultError } from "../errors.ts";
import type { Address } from "../records/address.ts";
import { peopleOf } from "../records/people.ts";
import type { KeyRead } from "../stores/key-store.ts";
import type { SubjectId, SubjectRecord, SubjectRow, SubjectScope } from "../stores/subjects.ts";
import { countUnopened, isUnopened, ofOne } from "./parts.ts";
import type { VerifiedAudit, VerifiedKeys, VerifyRun } from "./parts.ts";
import { restrictionOf } from "./restrictions.ts";
import { VERIFY_CODES } from "./report.ts";
import type { VerifyCode } from "./report.ts";

const PAGE = 1_000;
const VERSIONS = 500;
const LOOKS = 4;

/** Something wrong with a person. */
interface Found {
  readonly code: VerifyCode;
  readonly message: string;
  readonly record?: Address;
}

/** @param row as the list of people has it */
export async function verifyPerson(run: VerifyRun, keys: VerifiedKeys, row: SubjectRow): Promise<void> {
  const { findings } = run;
  findings.looked("people");
  let found: readonly Found[] = [];
  for (let looks = 1; looks <= LOOKS; looks++) {
    const now = looks === 1 ? row : ((await run.records.store.subjects.get([row.id]))[0] ?? null);
    if (now === null) return;
    // What was done a moment ago waits to be in the log.
    if (looks > 1 && run.audit !== null && !(await hasSettled(run.audit))) {
      findings.unsettled();
      return;
    }
    found = [...(await lookAtKeys(run, keys, now)), ...(await lookAtState(run, now))];
    if (found.length === 0) break;
  }
  for (const { code, message } of found) tell(run, row.id, { code, message });
  await lookAtLinks(run, row.id);
}

/** False: too much waits. */
async function hasSettled(audit: VerifiedAudit): Promise<boolean> {
  try {
    await audit.settle();
    return true;
  } catch (error) {
    if (isVaultError(error) && error.code === "audit-unavailable") return false;
    throw error;
  }
}

function tell({ findings }: VerifyRun, person: SubjectId, { code, message, record }: Found): void {
  findings.add({ code, message, place: { kind: "person", person, ...record } });
}

const found = (code: keyof typeof VERIFY_CODES): Found => ({ code, message: VERIFY_CODES[code] });

async function lookAtKeys(run: VerifyRun, keys: VerifiedKeys, row: SubjectRow): Promise<readonly Found[]> {
  const { keys: rows } = keys.store;
  const { id, state, ordinals } = row;
  const [[isErased = false], subject, tenant] = await Promise.all([
    rows.erased([id]),
    rows.versions({ kind: "subject", owner: id }),
    rows.versions({ kind: "tenant-subject", owner: id }),
  ]);
  const isOpen = state === "active" || state === "restricted";
  const hasKeys = subject.length + tenant.length > 0;
  if (isErased) return [...(isOpen ? [found("person-returned")] : []), ...(hasKeys ? [found("keys-left")] : [])];
  if (!isOpen) return state === "erased" && hasKeys ? [found("keys-left")] : [];
  const problems: Found[] = [];
  for (const [reads, scope] of [[subject, "subject"] as const, [tenant, "tenant"] as const])
    if (hasHoles(reads, ordinals[scope])) problems.push(found("key-missing"));
  const name = await nameProblem(run, keys, id);
  if (name?.code === "subject-name-absent" && !hasKeys) return [found("person-keyless")];
  return name === null ? problems : [...problems, name];
}

/** Versions of a key have the ordinals 1, 2, 3 and so on, at least up to the one that has sealed. */
function hasHoles(reads: readonly KeyRead[], sealed: SubjectRow["ordinals"][SubjectScope]): boolean {
  // What is damaged is told of the key.
  if (reads.some(({ key }) => key === null)) return false;
  const ordinals = reads.map(({ key }) => key?.ordinal ?? 0);
  const isWhole = ordinals.every((ordinal, index) => ordinal === ordinals.length - index);
  return (!isWhole && ordinals.length < PAGE) || (ordinals[0] ?? 0) < sealed;
}

async function nameProblem(run: VerifyRun, { subjectKeys }: VerifiedKeys, id: SubjectId): Promise<Found | null> {
  try {
    await subjectKeys.proveName(id, run.signal);
    return null;
  } catch (error) {
    const failure = ofOne(error);
    if (!isUnopened(failure)) return { code: failure.code, message: failure.message };
    countUnopened(run.findings, failure);
    return null;
  }
}

/** Whether a person is restricted as it was last done; of who is being erased nothing is said. */
async function lookAtState({ audit }: VerifyRun, { id, state }: SubjectRow): Promise<readonly Found[]> {
  if (audit === null || (state !== "active" && state !== "restricted")) return [];
  const expected = await restrictionOf(audit, id);
  return expected === null || expected === state ? [] : [found("state-differs")];
}

/** That the records which the store has of somebody are there, and about them. */
async function lookAtLinks(run: VerifyRun, id: SubjectId): Promise<void> {
  const { store } = run.records;
  let after: Uint8Array | null = null;
  for (;;) {
    const page: readonly SubjectRecord[] = await store.subjects.records(id, { after, limit: PAGE });
    for (const [index, link] of page.entries()) {
      run.signal?.throwIfAborted();
      const record = { collection: link.collection, id: link.id } as Address;
      if (await isAbout(run, record, id)) continue;
      const before: Uint8Array | null = page[index - 1]?.position ?? after;
      // Removed since, or its versions were.
      const [now] = await store.subjects.records(id, { after: before, limit: 1 });
      const isThere = now?.collection === link.collection && now.id === link.id;
      if (isThere && !(await isAbout(run, record, id))) tell(run, id, { ...found("link-left"), record });
    }
    after = page.at(-1)?.position ?? null;
    if (after === null || page.length < PAGE) return;
  }
}

async function isAbout({ records: { store } }: VerifyRun, record: Address, id: SubjectId): Promise<boolean> {
  let before = null;
  for (;;) {
    const { versions } = await store.records.versions(record, { before, limit: VERSIONS });
    if (versions.some((version) => version.scheme === 2 && isOf(record, version, id))) return true;
    before = versions.at(-1)?.version ?? null;
    if (before === null || versions.length < VERSIONS) return false;
  }
}

function isOf({ collection }: Address, version: Parameters<typeof peopleOf>[1], id: SubjectId): boolean {
  try {
    return peopleOf(collection, version).includes(id);
  } catch {
    // It is told of the record.
    return false;
  }
}

/** Keys and names of nobody: of these ids of the key store, those that no row of a person has. */
export async function verifyOwners(run: VerifyRun, ids: readonly SubjectId[]): Promise<void> {
  const { subjects } = run.records.store;
  const rows = await subjects.get(ids);
  for (const [index, id] of ids.entries()) if ((rows[index] ?? null) === null) tell(run, id, found("key-of-nobody"));
}
