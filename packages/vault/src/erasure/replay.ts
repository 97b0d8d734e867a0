/**
 * What was erased, held and restricted holds again in stores that were set back, before anybody can ask: replayed at
 * every start from the audit's log and from copies of the ledger, and after a restore from the stores themselves, each
 * of which may be newer than the other. Here people are only closed and their keys destroyed, which is quick; what is
 * held of them goes by the steps of an erasure that is begun anew.
 */
import { randomUUID } from "node:crypto";
import type { Auditor } from "../audit/auditor.ts";
import type { Dependencies } from "../limits.ts";
import type { KeyStore } from "../stores/key-store.ts";
import type { SubjectId, SubjectRow } from "../stores/subjects.ts";
import type { LedgerState } from "./ledger.ts";
import { MOST_HOLDS } from "./person-files.ts";
import type { ErasureStep, HoldFile, PersonFiles } from "./person-files.ts";

/** What is replayed over. */
export interface ReplayParts {
  readonly dependencies: Pick<Dependencies, "store" | "subjectKeys" | "clock">;
  readonly auditor: Auditor;
  readonly keyStore: Pick<KeyStore, "keys">;
  readonly files: PersonFiles;
}

/** People of one question. */
const PAGE = 1_000;
/** The reason of an erasure that was begun by nobody. */
export const REPLAYED = "replayed";

/** Makes what is stored what the ledger says. @throws VaultError the stores', the audit's */
export async function replayLedger(parts: ReplayParts, { erased, restricted, holds }: LedgerState): Promise<void> {
  const { subjects } = parts.dependencies.store;
  for (const ids of chunks([...erased.keys()])) await eraseAgain(parts, ids);
  for (const [id, { person, reason, at }] of holds)
    if (!erased.has(person)) await holdAgain(parts, person, { id, reason, at });
  for (const ids of chunks([...restricted].filter((id) => !erased.has(id))))
    for (const row of await subjects.get(ids))
      if (row?.state === "active") await subjects.setState({ id: row.id, from: ["active"], to: "restricted" });
}

/**
 * Compares the two stores as a whole: who is erased in one of them is erased. Reads everybody's row: for stores that
 * were set back, not for every start.
 */
export async function replayStores(parts: ReplayParts): Promise<void> {
  const { subjects } = parts.dependencies.store;
  let after: SubjectId | null = null;
  for (;;) {
    const rows: readonly SubjectRow[] = await subjects.list({ after, limit: PAGE });
    const ids = rows.map(({ id }) => id);
    const tombstones = ids.length === 0 ? [] : await parts.keyStore.keys.erased(ids);
    const gone = rows.filter(({ state }, index) => state === "erasing" || state === "erased" || tombstones[index]);
    await eraseAgain(
      parts,
      gone.map(({ id }) => id),
    );
    after = ids.at(-1) ?? null;
    if (rows.length < PAGE) return;
  }
}

async function eraseAgain(parts: ReplayParts, ids: readonly SubjectId[]): Promise<void> {
  if (ids.length === 0) return;
  const { dependencies, keyStore, files } = parts;
  const { store, subjectKeys, clock } = dependencies;
  const [rows, tombstones] = await Promise.all([store.subjects.get(ids), keyStore.keys.erased(ids)]);
  for (const [index, id] of ids.entries()) {
    const [row, hasTombstone] = [rows[index] ?? null, tombstones[index] === true];
    // Of whom the records know nothing there is nothing to close: a row would only make the key store look older.
    const isClosed = row === null || row.state === "erased";
    if (isClosed && hasTombstone) continue;
    const { erasure } = await files.read(id);
    const isUnderWay = erasure !== null && row?.state === "erasing";
    // It goes on by itself, from where it is. Behind their step keys that came back would be met no more.
    if (isUnderWay && (hasTombstone || !BEHIND_KEYS.has(erasure.step))) continue;
    if (row !== null) await store.subjects.setState({ id, from: ["active", "restricted", "erased"], to: "erasing" });
    subjectKeys?.forget(id);
    await keyStore.keys.erase([id], clock().toISOString());
    if (row !== null && !isUnderWay) await beginAgain(parts, id);
  }
}

/** Steps of an erasure in which the keys are gone. */
const BEHIND_KEYS: ReadonlySet<ErasureStep> = new Set<ErasureStep>(["records", "space", "done"]);

/** From the tags on: that somebody else is in a record too was asked when it was erased first. */
async function beginAgain({ auditor, files, dependencies }: ReplayParts, person: SubjectId): Promise<void> {
  const id = randomUUID();
  const details = { erasure: id, reason: REPLAYED };
  await auditor.tell("erase", "begun", { people: [person], details });
  const begunAt = dependencies.clock().toISOString();
  await files.change(person, (file) => ({
    ...file,
    erasure: file.erasure ?? {
      ...{ id, reason: REPLAYED, begunAt, step: "tags", was: "active" },
      ...{ nameCommitment: null, facts: null, doneAt: null },
    },
  }));
}

async function holdAgain({ files }: ReplayParts, person: SubjectId, hold: HoldFile): Promise<void> {
  await files.change(person, (file) => {
    const isNew = file.erasure === null && !file.holds.some(({ id }) => id === hold.id);
    return isNew && file.holds.length < MOST_HOLDS ? { ...file, holds: [...file.holds, hold] } : file;
  });
}

function* chunks(ids: readonly SubjectId[]): Generator<readonly SubjectId[]> {
  for (let start = 0; start < ids.length; start += PAGE) yield ids.slice(start, start + PAGE);
}
