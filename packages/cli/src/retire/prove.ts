// The proof that a wrapping key is needed no more, in the order that makes it one: it is out of force everywhere and
// every write that began before has ended; nothing is under it; nobody may wrap under it, and that is seen; time passes
// in which whatever a process or a cache still had in hand would have landed; nothing is under it still. Then it is
// disabled, which is taken back in a moment, and what was seen is stated and signed.
import { type AuditEvent, type KeyProbe, type StatedValue, type Vault } from "@strongroom/vault";
import { CliError } from "../errors.ts";
import {
  denyWrapping,
  disable,
  isDenied,
  type KeyState,
  keyState,
  type LastUsage,
  lastUsage,
  type RetiredKey,
  wrappingState,
} from "./kms-side.ts";

/** What a retirement works with. */
export interface RetirementParts {
  readonly vault: Pick<Vault, "convergence" | "audit" | "erasure">;
  readonly key: RetiredKey;
  /** How long is waited between the two looks, in milliseconds. */
  readonly waitMs: number;
  /** How long a policy may take to hold everywhere, at most. */
  readonly propagationMs: number;
  /** Who is doing it, and who has asked and approved; null: it needs one alone. */
  readonly by: string;
  readonly approval: { readonly requestedBy: string; readonly approvedBy: string | null } | null;
  readonly onStep: (step: RetirementStep) => void;
  readonly sleep: (ms: number) => Promise<void>;
  readonly clock: () => Date;
}

/** A step that was taken, for a person. */
export interface RetirementStep {
  readonly step: "out-of-force" | "probed" | "denied" | "waits" | "probed-again" | "usage" | "backups" | "disabled";
  readonly text: string;
}

/** A backup that may hold wraps under the key. */
export interface OlderBackup {
  readonly backup: string;
  /** When it was made. */
  readonly at: string;
}

/** What was seen. It is what the report states. */
export interface RetirementFacts {
  readonly key: string;
  readonly by: string;
  readonly approval: RetirementParts["approval"];
  readonly first: KeyProbe;
  readonly deniedAt: string;
  readonly waitedSeconds: number;
  readonly second: KeyProbe;
  readonly kms: LastUsage;
  /** The last run that brought items to another key set, and when it ended; null: none is known. */
  readonly run: { readonly id: string; readonly endedAt: string | null } | null;
  /** Those that were made before that run ended, or the first look: each needs the key for as long as it is kept. */
  readonly backups: readonly OlderBackup[];
  readonly disabledAt: string;
  readonly state: KeyState;
  /** What this proves nothing of. */
  readonly not: readonly string[];
}

const NOT_PROVED: readonly string[] = [
  "copies of the databases that the audit does not know of: dumps, replicas, snapshots of disks",
  "exports and messages that were handed out",
  "programs other than this vault that use the key: the KMS's own word of its last use is above",
];

const STEP_MS = 500;

/**
 * Proves it, and disables the key.
 *
 * @throws CliError `key-in-force`, `key-still-needed`, `key-not-retired`; what the vault throws
 */
export async function proveRetirement(parts: RetirementParts): Promise<RetirementFacts> {
  const { vault, key, onStep, waitMs, sleep, clock, by, approval } = parts;
  const first = await probe(parts);
  onStep({
    step: "out-of-force",
    text: `No key set in force names it (${epochsText(first)}), and every write of before has ended.`,
  });
  onStep({
    step: "probed",
    text: "Nothing is wrapped under it: no key of a person, no record, no message that is kept.",
  });
  await denyWrapping(key);
  await waitUntilDenied(parts);
  const deniedAt = clock().toISOString();
  onStep({ step: "denied", text: "Its KMS refuses to wrap under it, for everybody; opening stays allowed." });
  onStep({
    step: "waits",
    text: `Waiting ${Math.ceil(waitMs / 1000)} s, in which whatever was on its way would have landed.`,
  });
  await sleep(waitMs);
  const second = await probe(parts);
  onStep({ step: "probed-again", text: "Nothing is wrapped under it still." });
  const kms = await lastUsage(key);
  onStep({ step: "usage", text: usageText(kms) });
  const run = await lastRun(vault);
  const backups = await olderBackups(vault, run?.endedAt ?? first.at);
  onStep({ step: "backups", text: backupsText(backups) });
  const state = await disable(key);
  if (state.state === "Enabled")
    throw new CliError("key-not-retired", { detail: "The KMS says that it is enabled still." });
  const disabledAt = clock().toISOString();
  onStep({
    step: "disabled",
    text: `It is ${state.state.toLowerCase()}: strongroom keys retire --undo takes that back.`,
  });
  const waitedSeconds = Math.ceil(waitMs / 1000);
  return {
    key: key.keyArn,
    by,
    approval,
    first,
    deniedAt,
    waitedSeconds,
    second,
    kms,
    run,
    backups,
    disabledAt,
    state,
    not: NOT_PROVED,
  };
}

/** The facts as they are stated. */
export function stated(facts: RetirementFacts): Readonly<Record<string, StatedValue>> {
  return JSON.parse(JSON.stringify(facts)) as Record<string, StatedValue>;
}

/** What is looked at before a key goes. */
export interface ProbedParts extends Pick<RetirementParts, "key"> {
  readonly vault: Pick<Vault, "convergence" | "erasure">;
}

/**
 * A run that can be undone may go back under the key: a shred has moved everything by then. And of somebody who is half
 * erased the certificate is not signed yet that names the generation of their keys.
 */
async function unfinished({ convergence, erasure }: ProbedParts["vault"]): Promise<readonly string[]> {
  const { run } = await convergence.status();
  const count = (await erasure?.underWay())?.length ?? 0;
  return [
    ...(run?.endedAt === null ? ["a run is under way, or holds: strongroom keys apply ends it"] : []),
    ...(count === 0 ? [] : [`${count} erasures are under way: the service goes on with them`]),
  ];
}

/**
 * That nothing is under the key, and no set in force names it.
 *
 * @throws CliError `key-in-force`, `key-still-needed`
 */
export async function probe({ vault, key }: ProbedParts): Promise<KeyProbe> {
  const found = await vault.convergence.probe(key.keyArn);
  if (found.inForce.length > 0)
    throw new CliError("key-in-force", { detail: `It is in the key set in force of: ${found.inForce.join(", ")}.` });
  const needed = [
    ...(await unfinished(vault)),
    ...found.items.map((store) => `${store}: items lie under it`),
    ...(found.kept ? ["records: messages that are kept for going back lie under it"] : []),
    ...found.unknown.map((store) => `${store}: of some items nobody can tell under which keys they lie`),
  ];
  if (needed.length > 0) throw new CliError("key-still-needed", { problems: needed });
  return found;
}

/** By the service's own calls: a policy may take a while to hold. */
async function waitUntilDenied({ key, propagationMs, sleep }: RetirementParts): Promise<void> {
  for (let waited = 0; ; waited += STEP_MS) {
    const state = (await isDenied(key)) ? await wrappingState(key) : "allowed";
    if (state === "denied") return;
    if (waited >= propagationMs)
      throw new CliError("key-not-retired", {
        detail:
          state === "allowed"
            ? `The service may wrap under it still, ${Math.ceil(propagationMs / 1000)} s after its policy denied that.`
            : "Whether the service may wrap under it could not be asked: its region does not answer.",
      });
    await sleep(STEP_MS);
  }
}

async function lastRun({ convergence }: RetirementParts["vault"]): Promise<RetirementFacts["run"]> {
  const { run } = await convergence.status();
  return run === null ? null : { id: run.id, endedAt: run.endedAt };
}

/** By the audit: a backup is in it before it is done. */
async function olderBackups({ audit }: RetirementParts["vault"], before: string): Promise<readonly OlderBackup[]> {
  if (audit === null) return [];
  const found: OlderBackup[] = [];
  let cursor: string | undefined;
  do {
    const page = await audit.events({
      action: "backup",
      order: "oldest",
      limit: 500,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const event of page.events) if (isDone(event) && event.at <= before) found.push(backupOf(event));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return found;
}

const isDone = ({ result }: AuditEvent): boolean => result === "done";
const backupOf = ({ at, details }: AuditEvent): OlderBackup => ({ backup: String(details["backup"] ?? ""), at });

const epochsText = ({ epochs }: KeyProbe): string =>
  Object.entries(epochs)
    .map(([store, epoch]) => `${store} at epoch ${epoch}`)
    .join(", ");

function usageText({ last, since }: LastUsage): string {
  if (last === null) return `Its KMS knows of no use of it${since === null ? "" : ` since ${since}`}.`;
  return `Its KMS says that it was last used at ${last.at}, for ${last.operation}.`;
}

function backupsText(backups: readonly OlderBackup[]): string {
  if (backups.length === 0) return "No backup of before is known to the audit.";
  const [oldest] = backups;
  return `${backups.length} backups need it for as long as they are kept, the oldest of ${oldest?.at ?? "?"}.`;
}

/** The state of a key that was retired, and whether nothing is under it still. @throws as {@link probe} does */
export async function stillRetired(
  parts: ProbedParts,
): Promise<{ readonly probe: KeyProbe; readonly state: KeyState }> {
  return { probe: await probe(parts), state: await keyState(parts.key) };
}
