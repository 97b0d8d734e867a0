/**
 * Verifies the log as a whole: each entry against its leaf, the leaves against the signed checkpoint, the checkpoint
 * against those that were kept elsewhere, and everything that is derived from the entries against the entries. It needs
 * the public key, and nothing of the vault: whoever has the log verifies it.
 */
import type { Checkpoint } from "@strongroom/tlog/checkpoint";
import type { AuditLog, LogState } from "../stores/audit-log.ts";
import { rangeOf } from "./log-tree.ts";
import { isGivenUp, ownCheckpoint, ownKeyOf } from "./own-checkpoints.ts";
import type { OwnKey } from "./own-checkpoints.ts";
import { originOf } from "./signer.ts";
import { Walk } from "./verify-walk.ts";
import type { Report } from "./verify-walk.ts";
import type { LogReport } from "./view.ts";

/** How a log is verified. */
export interface VerifyLogOptions {
  /** The verifier key of the audit, of whichever history (c2sp.org/signed-note). */
  readonly key: string;
  /** Checkpoints kept elsewhere: signed notes. */
  readonly checkpoints?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((done: number, of: number) => void) | undefined;
}

/** More problems than this are not listed: they are one. */
const MOST_PROBLEMS = 1000;

/**
 * Verifies a log.
 *
 * @throws VaultError `vault-option-invalid`: the key is none of an audit; `aborted`; the log's
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault, verifyAuditLog } from "@strongroom/vault";
 * import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
 * const log = memoryAuditLog();
 * const keys = { store: memoryKeyStore() };
 * await using vault = await openVault({ store: memoryStore(), keyring, keys, audit: { log } });
 * await vault.put({ collection: "people", id: "1" }, { name: "Ada" }, { subject: "ada@example.com" });
 * await vault.audit!.sequence();
 * const { key } = await vault.audit!.status(); // kept elsewhere, or it proves nothing
 *
 * console.log((await verifyAuditLog(log, { key })).problems); // prints: []
 * ```
 */
export async function verifyAuditLog(log: AuditLog, options: VerifyLogOptions): Promise<LogReport> {
  const own = ownKeyOf(options.key);
  const state = await log.state();
  const problems: LogReport["problems"][number][] = [];
  const report: Report = (code, position, message) => {
    if (problems.length < MOST_PROBLEMS) problems.push({ code, position, message });
  };
  const head = headOf(state, own, report);
  const kept = keptOf(options.checkpoints ?? [], own, report);
  const walk = new Walk(log, kept, report);
  await walk.all(options, state.size);
  const root = walk.range.root();
  requireRoot(walk, head, report);
  await lookOn(log, walk, { own, options, report, size: state.size });
  for (const { position, message } of walk.texts.problems) report("text", position, message);
  for (const checkpoint of walk.unmet)
    if (head === null || !(await isGivenUp(log, head, { seen: checkpoint, own: (note) => ownCheckpoint(note, own) })))
      report("checkpoint", null, `the log does not go on from a checkpoint of ${checkpoint.size} entries`);
  for (const message of await tableProblems(log, walk, options)) report("table", null, message);
  return {
    size: state.size,
    root: Buffer.from(root).toString("base64"),
    forgotten: walk.texts.forgotten.count,
    problems,
  };
}

function requireRoot({ range }: Walk, head: Checkpoint | null, report: Report): void {
  if (head !== null && Buffer.compare(range.root(), head.root) !== 0)
    report("tree", null, `the entries do not come to the root of the checkpoint of ${head.size} entries`);
}

/** Texts may have been forgotten since the walk began: what has said so is in the log by now, under a checkpoint. */
async function lookOn(log: AuditLog, walk: Walk, { own, options, report, ...from }: Looked): Promise<void> {
  let { size } = from;
  for (let round = 0; round < ROUNDS && walk.texts.unsaid.length > 0; round++) {
    const state = await log.state();
    if (state.size <= size) return;
    size = state.size;
    await walk.all({ ...options, progress: undefined }, state.size);
    requireRoot(walk, headOf(state, own, report), report);
  }
}

interface Looked {
  readonly own: OwnKey;
  readonly options: VerifyLogOptions;
  readonly report: Report;
  /** How far the walk was to come. */
  readonly size: number;
}

/** The log may grow while its tables are looked at: so often it is tried to look at them while it does not. */
const ROUNDS = 8;

/**
 * What is wrong with the tables. Where the log grows all the time, what is found each time: no entry explains it.
 */
async function tableProblems(log: AuditLog, walk: Walk, options: VerifyLogOptions): Promise<readonly string[]> {
  let lasting: readonly string[] | null = null;
  for (let round = 0; round < ROUNDS; round++) {
    const found = await walk.tables.problems(log, walk.range.size, walk.texts);
    const { size } = await log.state();
    if (found.length === 0 || size <= walk.range.size) return found;
    lasting = lasting === null ? found : lasting.filter((message) => found.includes(message));
    await walk.all({ ...options, progress: undefined }, size);
  }
  return lasting ?? [];
}

/** The log's own checkpoint; null: it has none that holds. */
function headOf(state: LogState, own: OwnKey, report: Report): Checkpoint | null {
  const { history, size, checkpoint: note } = state;
  if (history === null) {
    if (size > 0 || note !== null) report("checkpoint", null, "the log does not say which history it is");
    return null;
  }
  const checkpoint = note === null ? null : ownCheckpoint(note, own);
  if (checkpoint?.origin !== originOf(own.vault, history) || checkpoint.size !== size) {
    report("checkpoint", null, "the log's checkpoint is not signed by this key, or of another history or size");
    return null;
  }
  const range = rangeOf(state);
  if (range === null || Buffer.compare(range.root(), checkpoint.root) !== 0)
    report("tree", null, "what the log says of its tree is not the tree of its checkpoint");
  return checkpoint;
}

/** Checkpoints that were kept elsewhere, in the order of their sizes. */
function keptOf(notes: readonly string[], own: OwnKey, report: Report): readonly Checkpoint[] {
  const kept: Checkpoint[] = [];
  for (const note of notes) {
    const checkpoint = ownCheckpoint(note, own);
    if (checkpoint === null) report("checkpoint", null, "a checkpoint that was given is not signed by this key");
    else kept.push(checkpoint);
  }
  return kept.sort((a, b) => a.size - b.size);
}
