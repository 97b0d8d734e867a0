// `strongroom keys retire`: the proof and the report, what takes it back, and, later, the deletion.
import { setTimeout as delay } from "node:timers/promises";
import { writeFileAtomic } from "@strongroom/base/files";
import { DEFAULT_KEY_CACHE, type Vault } from "@strongroom/vault";
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { requireYes } from "../confirm.ts";
import { prepareDataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { requireApproved } from "../installation/approved.ts";
import { DAY_MS } from "../installation/material-age.ts";
import { withVault } from "../installation/with-vault.ts";
import { allowWrapping, enable, keyState, type KeyState, type RetiredKey, scheduleDeletion } from "./kms-side.ts";
import { probe, proveRetirement, stated, stillRetired } from "./prove.ts";
import { type GivenReport, openReport, REPORT_KINDS } from "./report.ts";
import { regionOfKey, retiredKey } from "./retired-key.ts";

/** What is to be done to a key. */
export interface RetireRequest {
  readonly keyArn: string;
  readonly credentials: string | undefined;
  readonly how: "ask" | "yes";
}

/** As long as a change of a policy may take to hold in all of a region: AWS says seconds. */
const PROPAGATION_MS = 60_000;

/** What a writer may have in hand for longest, if nothing else is configured. */
const DEADLINE_MS = 2_000;

/** How long is waited: what a cache, a write or a policy takes, whichever is longest. */
export function retirementWaitMs({ keys }: Config): number {
  return Math.max(keys.cacheAgeMs ?? DEFAULT_KEY_CACHE.maxAgeMs, keys.deadlineMs ?? DEADLINE_MS, PROPAGATION_MS);
}

/** What a retirement needs besides. */
export interface ProofRequest extends RetireRequest {
  /** Of the report; left out: it is printed. */
  readonly report: string | undefined;
  /** In milliseconds; left out: {@link retirementWaitMs}. */
  readonly waitMs: number | undefined;
}

/** Proves that a key is needed no more, disables it, and gives a signed report. */
export async function retireKey(context: CommandContext, config: Config, request: ProofRequest): Promise<GivenReport> {
  const { keyArn, how, report, waitMs = retirementWaitMs(config) } = request;
  return withRetiredKey(context, config, request, async ({ vault, key }) => {
    // Of a key that is in force or needed nothing is said, asked or approved.
    await probe({ vault, key });
    const approval = await requireApproved(vault, config, { action: "retire-key", target: keyArn });
    context.terminal.say(`${keyArn} is to be denied, and then disabled, in its KMS.`);
    if (how === "ask") await requireYes("Retire it?", context);
    const by = config.audit.principal;
    await vault.audit?.tell("retire-key", "begun", { details: { key: keyArn } });
    const facts = await proveRetirement({
      ...{ vault, key, waitMs, propagationMs: PROPAGATION_MS, by, approval, clock: () => new Date() },
      onStep: ({ text }) => {
        context.terminal.say(text);
      },
      sleep: (ms) => slept(ms, context.signal),
    }).catch(async (error: unknown) => {
      await toldFailure(vault, keyArn, error);
      throw error;
    });
    const signed = await signedBy(vault, REPORT_KINDS.retired, stated(facts));
    await vault.audit?.tell("retire-key", "done", { details: { key: keyArn } });
    if (report !== undefined) await writeFileAtomic(report, signed.note);
    return { ...signed, facts };
  });
}

/** Enables the key again, and lets its KMS wrap under it. */
export async function undoRetirement(
  context: CommandContext,
  config: Config,
  request: RetireRequest,
): Promise<KeyState> {
  return withRetiredKey(context, config, request, async ({ vault, key }) => {
    await vault.audit?.tell("retire-key", "undone", { details: { key: key.keyArn } });
    await allowWrapping(key);
    return enable(key);
  });
}

/** A deletion, and by which report. */
export interface DeletionRequest extends RetireRequest {
  /** The signed report, as it was given. */
  readonly note: string;
  /** From now until the key is gone: 7 to 30. */
  readonly days: number;
}

/** Days for which a key was disabled at least. */
const RESTED_DAYS = 7;

/**
 * Schedules the deletion of a key that was retired a while ago, and under which nothing is still. Throws
 * `report-refused`, `key-still-needed`, `key-not-retired`.
 */
export async function deleteRetiredKey(
  context: CommandContext,
  config: Config,
  { note, days, ...request }: DeletionRequest,
): Promise<KeyState> {
  const { keyArn, how } = request;
  return withRetiredKey(context, config, request, async ({ vault, key }) => {
    const { facts } = openReport(note, (await vault.audit?.statementKey()) ?? "");
    if (facts.key !== keyArn) throw new CliError("report-refused", { detail: `It is the report of ${facts.key}.` });
    await requireApproved(vault, config, { action: "retire-key", target: keyArn });
    const { state } = await stillRetired({ vault, key });
    if (state.state !== "Disabled")
      throw new CliError("key-not-retired", {
        detail: `Its KMS says that the key is ${state.state}, and not disabled.`,
      });
    const rested = (Date.now() - Date.parse(facts.disabledAt)) / DAY_MS;
    if (rested < RESTED_DAYS)
      throw new CliError("key-not-retired", {
        detail: `It was disabled ${rested.toFixed(1)} days ago; ${RESTED_DAYS} are needed, in which whoever misses it says so.`,
        remedy: "Run it again then. Until the day of the deletion, --undo takes everything back.",
      });
    const kept = facts.backups.map(({ backup, at }) => `${backup} of ${at}`);
    if (kept.length > 0) context.terminal.say(`These backups open nothing once it is gone: ${kept.join(", ")}.`);
    context.terminal.say(`In ${days} days nobody will be able to take this back.`);
    if (how === "ask") await requireYes("Schedule its deletion?", context);
    await vault.audit?.tell("retire-key", "deletion-scheduled", { details: { key: keyArn, days } });
    const after = await scheduleDeletion(key, key.operator, days);
    await signedBy(vault, REPORT_KINDS.deletion, { key: keyArn, days, deletionAt: after.deletionAt });
    return after;
  });
}

interface Opened {
  readonly vault: Vault;
  readonly key: RetiredKey;
}

async function withRetiredKey<Result>(
  context: CommandContext,
  config: Config,
  { keyArn, credentials }: RetireRequest,
  work: (opened: Opened) => Promise<Result>,
): Promise<Result> {
  regionOfKey(keyArn);
  const { folder } = await prepareDataFolder(config.dataDir);
  return withVault(context, { config, folder }, async ({ vault }, { place }) => {
    const key = await retiredKey(keyArn, { config, folder, place, credentials });
    // Before anything is asked of anybody: whether it is there.
    await keyState(key);
    return work({ vault, key });
  });
}

async function signedBy(
  { audit }: Vault,
  kind: string,
  facts: ReturnType<typeof stated>,
): ReturnType<NonNullable<Vault["audit"]>["sign"]> {
  if (audit === null) throw new CliError("config-invalid", { detail: "A report is signed by the audit's key." });
  return audit.sign({ kind, facts });
}

async function toldFailure({ audit }: Vault, key: string, error: unknown): Promise<void> {
  const code = error instanceof CliError ? error.code : "failed";
  await audit?.tell("retire-key", code, { details: { key } }).catch(() => undefined);
}

async function slept(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal });
}
