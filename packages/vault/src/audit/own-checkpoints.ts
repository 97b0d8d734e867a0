/**
 * Checkpoints that were kept somewhere, held against the log: signed by the audit's key, of this history or of one that
 * was given up on record, and the log goes on from it.
 */
import { parseCheckpoint } from "@strongroom/tlog/checkpoint";
import type { Checkpoint } from "@strongroom/tlog/checkpoint";
import { parseVkey, renamedVkey } from "@strongroom/tlog/keys";
import type { Verifier } from "@strongroom/tlog/keys";
import { openNote, parseNote, tlogFailure } from "@strongroom/tlog/note";
import { provesInclusion } from "@strongroom/tlog/proof";
import { leafHash } from "@strongroom/tlog/tree";
import { VaultError } from "../errors.ts";
import type { AuditLog, LogRow } from "../stores/audit-log.ts";
import { parseEntry } from "./entry-text.ts";
import { begins, LOG_STREAM } from "./log-entries.ts";
import { storedTree } from "./log-tree.ts";
import { originsOf } from "./signer.ts";
import type { WitnessedLog } from "./witness.ts";

/** By which own checkpoints are told: the vault, and the key of its audit under the name of each history. */
export interface OwnKey {
  readonly vault: string;
  readonly verifierOf: (origin: string) => Verifier;
}

/**
 * By a verifier key of the vault's audit, of whichever history.
 *
 * @throws VaultError `vault-option-invalid`
 */
export function ownKeyOf(vkey: string): OwnKey {
  try {
    const { name } = parseVkey(vkey);
    const [, vault] = /^strongroom\/([^/]+)\/[^/]+$/.exec(name) ?? [];
    if (vault !== undefined) return { vault, verifierOf: (origin) => renamedVkey(vkey, origin) };
  } catch (error) {
    if (tlogFailure(error) === null) throw error;
  }
  throw new VaultError("vault-option-invalid", "That is no verifier key of an audit's log");
}

/** What a note says if the audit's key signed it, of whichever history of the vault; null: it is anything else. */
export function ownCheckpoint(note: string, { vault, verifierOf }: OwnKey): Checkpoint | null {
  try {
    const { origin, size, root } = parseCheckpoint(parseNote(note).text);
    if (!origin.startsWith(originsOf(vault))) return null;
    openNote(note, [verifierOf(origin)]);
    return { origin, size, root };
  } catch (error) {
    if (tlogFailure(error) !== null) return null;
    throw error;
  }
}

/** A log as it is held against what others have seen of it. */
export function witnessedLog(
  log: Pick<AuditLog, "hashes" | "find">,
  { note, checkpoint }: { readonly note: string; readonly checkpoint: Checkpoint },
  key: OwnKey,
): WitnessedLog {
  const own = (kept: string): Checkpoint | null => ownCheckpoint(kept, key);
  const compare = (kept: string, from: string): Promise<number> => compareWith(log, checkpoint, { kept, from, own });
  return { note, checkpoint, tree: storedTree(log), own, compare };
}

/** What a note says if it is the vault's own. */
type Own = (note: string) => Checkpoint | null;

/** A checkpoint that was kept somewhere. */
interface Kept {
  readonly kept: string;
  readonly from: string;
  readonly own: Own;
}

async function compareWith(
  log: Pick<AuditLog, "hashes" | "find">,
  checkpoint: Checkpoint,
  { kept, from, own }: Kept,
): Promise<number> {
  const seen = own(kept);
  if (seen === null) throw rolledBack(`${from} has a checkpoint that the key of this audit did not sign`);
  if (seen.origin !== checkpoint.origin) {
    if (await isGivenUp(log, checkpoint, { seen, own })) return 0;
    throw rolledBack(
      `${from} has seen another history of the audit's log, of ${seen.size} entries, which was not given up on record`,
    );
  }
  if (seen.size > checkpoint.size)
    throw rolledBack(`${from} has seen ${seen.size} entries of the audit's log, and there are ${checkpoint.size}`);
  const tree = await storedTree(log).at(seen.size);
  if (Buffer.compare(tree.root(), seen.root) !== 0)
    throw rolledBack(`${from} has seen other entries than the first ${seen.size} of the audit's log`);
  return seen.size;
}

const PAGE = 100;

/** Whether an entry of the log gave up the history of a checkpoint, up to its size or beyond. */
export async function isGivenUp(
  log: Pick<AuditLog, "hashes" | "find">,
  checkpoint: Checkpoint,
  { seen, own }: { readonly seen: Checkpoint; readonly own: Own },
): Promise<boolean> {
  for await (const row of acceptedRestores(log)) {
    const covers = notesOf(row).some((note) => {
      const last = own(note);
      return last?.origin === seen.origin && last.size >= seen.size;
    });
    if (covers && (await isInTree(log, checkpoint, row))) return true;
  }
  return false;
}

/** The position of the newest entry that gave up a history; -1: none did. */
export async function givenUpAt(log: Pick<AuditLog, "find">): Promise<number> {
  for await (const { position, text } of acceptedRestores(log)) {
    const entry = text === null ? null : parseEntry(text);
    if (entry === null || begins(entry)) return position;
  }
  return -1;
}

/** Entries of restores that were accepted, newest first. */
export async function* acceptedRestores(log: Pick<AuditLog, "find">): AsyncGenerator<LogRow> {
  let after: number | null = null;
  for (;;) {
    const page = { order: "newest", after, limit: PAGE } as const;
    const rows: readonly LogRow[] = await log.find({ action: "accept-restore" }, page);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last.position;
  }
}

/** The checkpoints that an entry gave up. */
function notesOf({ text }: LogRow): readonly string[] {
  const entry = text === null ? null : parseEntry(text);
  if (entry?.action !== "accept-restore" || entry.stream !== LOG_STREAM) return [];
  return Object.values(entry.details ?? {}).filter((value) => typeof value === "string");
}

async function isInTree(log: Pick<AuditLog, "hashes">, { size, root }: Checkpoint, row: LogRow): Promise<boolean> {
  if (row.position >= size) return false;
  const proof = await storedTree(log).proveInclusion(row.position, size);
  const leaf = row.text === null ? row.leaf : leafHash(row.text);
  return provesInclusion(proof, { index: row.position, size, root, leaf });
}

export const rolledBack = (message: string): VaultError => new VaultError("store-rolled-back", message);
