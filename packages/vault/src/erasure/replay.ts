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
import type { PersonFiles } from "./person-files.ts";

/** What is replayed over. */
export interface ReplayParts {
  readonly dependencies: Pick<Dependencies, "store" | "subjectKeys" | "clock">;
  readonly auditor: Auditor;
  readonly keyStore: Pick<KeyStore, "keys">;
  readonly files: PersonFiles;
}

/** How many people were not as they had to be. */
export interface Replayed {
  readonly erased: number;
  readonly held: number;
  readonly restricted: number;
}

/** People of one question. */
const PAGE = 1_000;
/** The reason of an erasure that was begun by nobody. */
export const REPLAYED = "replayed";

/** Makes what is stored what the ledger says. @throws VaultError the stores', the audit's */
export async function replayLedger(parts: ReplayParts, { erased, restricted, holds }: LedgerState): Promise<Replayed> {
  let closed = 0;
  for (const ids of chunks([...erased.keys()])) closed += await eraseAgain(parts, ids);
  let held = 0;
  for (const [id, { person, reason, at }] of holds)
    if (!erased.has(person) && (await holdAgain(parts, person, { id, reason, at }))) held++;
  let again = 0;
  for (const ids of chunks([...restricted].filter((id) => !erased.has(id))))
    for (const row of await parts.dependencies.store.subjects.get(ids))
      if (row?.state === "active") {
        await parts.dependencies.store.subjects.setState({ id: row.id, from: ["active"], to: "restricted" });
        again++;
      }
  return { erased: closed, held, restricted: again };
}

/**
 * Compares the two stores as a whole: who is erased in one of them is erased. Reads everybody's row: for stores that
 * were set back, not for every start.
 */
export async function replayStores(parts: ReplayParts): Promise<number> {
  const { subjects } = parts.dependencies.store;
  let closed = 0;
  let after: SubjectId | null = null;
  for (;;) {
    const rows: readonly SubjectRow[] = await subjects.list({ after, limit: PAGE });
    const ids = rows.map(({ id }) => id);
    const tombstones = ids.length === 0 ? [] : await parts.keyStore.keys.erased(ids);
    const gone = rows.filter(({ state }, index) => state === "erasing" || state === "erased" || tombstones[index]);
    closed += await eraseAgain(
      parts,
      gone.map(({ id }) => id),
    );
    after = ids.at(-1) ?? null;
    if (rows.length < PAGE) return closed;
  }
}

/** Answers how many of these were not erased as a whole. */
async function eraseAgain(parts: ReplayParts, ids: readonly SubjectId[]): Promise<number> {
  if (ids.length === 0) return 0;
  const { dependencies, keyStore, files } = parts;
  const { store, subjectKeys, clock } = dependencies;
  const [rows, tombstones] = await Promise.all([store.subjects.get(ids), keyStore.keys.erased(ids)]);
  let count = 0;
  for (const [index, id] of ids.entries()) {
    const [row, hasTombstone] = [rows[index] ?? null, tombstones[index] === true];
    // Of whom the records know nothing there is nothing to close: a row would only make the key store look older.
    const isClosed = row === null || row.state === "erased";
    if (isClosed && hasTombstone) continue;
    const { erasure } = await files.read(id);
    // It goes on by itself, from where it is.
    if (erasure !== null && row?.state === "erasing") continue;
    count++;
    if (row !== null) await store.subjects.setState({ id, from: ["active", "restricted", "erased"], to: "erasing" });
    subjectKeys?.forget(id);
    await keyStore.keys.erase([id], clock().toISOString());
    if (row !== null) await beginAgain(parts, id);
  }
  return count;
}

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

async function holdAgain(
  { files }: ReplayParts,
  person: SubjectId,
  hold: { readonly id: string; readonly reason: string; readonly at: string },
): Promise<boolean> {
  let isNew = false;
  await files.change(person, (file) => {
    isNew = file.erasure === null && !file.holds.some(({ id }) => id === hold.id) && file.holds.length < MOST_HOLDS;
    return isNew ? { ...file, holds: [...file.holds, hold] } : file;
  });
  return isNew;
}

function* chunks(ids: readonly SubjectId[]): Generator<readonly SubjectId[]> {
  for (let start = 0; start < ids.length; start += PAGE) yield ids.slice(start, start + PAGE);
}
