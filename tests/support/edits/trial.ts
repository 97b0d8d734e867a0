/**
 * Makes one change in the stores of a vault, looks what becomes of it, and takes it back: while a vault is open, and
 * before one is opened.
 */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { verifyAuditLog } from "@strongroom/vault";
import type { AuditAlarm, AuditLog, KeyStore, LogReport } from "@strongroom/vault";
import type { Hand } from "../swaps/hand.ts";
import { Answers, outcomeOf, readAll, readNewest, writeAll } from "./answers.ts";
import type { Looked } from "./answers.ts";
import type { Change } from "./change.ts";
import { recordsOf } from "./record-rows.ts";
import { closeAll, handsIn, holdSequencer, openFiles, PLACES, putBack, sqliteSite, vaultOver } from "./site.ts";
import type { Opened, Place, Site, Stores, VaultMaker } from "./site.ts";
import type { Moments, When } from "./moments.ts";

/** What became of a change. */
export interface Outcome {
  /** Whether the database took it. */
  readonly isTaken: boolean;
  /** Code with which the vault was not opened; null: it was. */
  readonly open: string | null;
  /** Of reads and writes, of the vault that was open and of one that was opened. */
  readonly answers: Answers;
  /** Of them, those before what waited was carried to the log. */
  readonly wrongBefore: readonly string[];
  readonly alarms: ReadonlySet<string>;
  /** Codes of what kept entries from the log. */
  readonly faults: ReadonlySet<string>;
  /** Codes of the verification of the audit's log, and of the records. */
  readonly log: ReadonlySet<string>;
  readonly records: ReadonlySet<string>;
}

/** Where and how changes are tried. */
export interface TrialParts {
  readonly site: Site;
  readonly make: VaultMaker;
  readonly key: string;
  readonly when: When;
}

const NOT_TAKEN: Outcome = {
  isTaken: false,
  open: null,
  answers: new Answers(),
  wrongBefore: [],
  ...{ alarms: new Set(), faults: new Set(), log: new Set(), records: new Set() },
};

/** Tries one change. */
export async function play(parts: TrialParts, change: Change): Promise<Outcome> {
  const { site } = parts;
  const restore = (): Promise<void> => putBack(site.hands);
  const isTaken = await edited(site.hands, change);
  await restore();
  if (!isTaken) return NOT_TAKEN;
  const found = new Found();
  try {
    await whileOpen(parts, change, found);
    await restore();
    await edited(site.hands, change);
    await atRest(parts, change, found);
  } finally {
    await restore();
  }
  return found;
}

/** Tries one change in files of its own: while they are open, and before they are. */
export async function playApart(
  { root, make, key, ...folders }: Moments,
  { change, when, name }: { readonly change: Change; readonly when: When; readonly name: string },
): Promise<Outcome> {
  const found = new Found();
  const open = await sqliteSite(folders[when], join(root, `${name}-open`), /^sqlite_/);
  try {
    if (!(await edited(open.hands, change))) return NOT_TAKEN;
    await putBack(open.hands);
    await whileOpen({ site: open, make, key, when }, change, found);
  } finally {
    await open.close();
  }
  const folder = join(root, `${name}-closed`);
  await cp(folders[when], folder, { recursive: true });
  const hands = handsIn(folder, /^sqlite_/);
  await edited(hands, change);
  await closeAll(hands);
  const files = await outcomeOf(() => openFiles(folder));
  if ("code" in files) found.open = files.code;
  else
    try {
      await atRest({ site: { ...files.result, hands }, make, key, when }, change, found);
    } finally {
      await files.result.close();
    }
  return found;
}

async function edited(hands: Readonly<Record<Place, Hand>>, { edits }: Change): Promise<boolean> {
  try {
    for (const place of PLACES) {
      const own = edits.filter((edit) => edit.place === place);
      if (own.length > 0) await hands[place].edit(own);
    }
    return true;
  } catch {
    return false;
  }
}

class Found implements Outcome {
  readonly isTaken = true;
  open: string | null = null;
  readonly answers = new Answers();
  readonly wrongBefore: string[] = [];
  readonly alarms = new Set<string>();
  readonly faults = new Set<string>();
  readonly log = new Set<string>();
  readonly records = new Set<string>();

  told({ alarms, faults }: Opened): void {
    for (const { code } of alarms) this.alarms.add(code);
    for (const fault of faults) this.faults.add(codeOf(fault));
  }

  verified({ problems }: LogReport): void {
    for (const { code } of problems) this.log.add(code);
  }
}

export const codeOf = (error: unknown): string => String((error as { readonly code?: unknown } | null)?.code ?? error);

/** The hand comes while a vault is open that has read everything. */
async function whileOpen(parts: TrialParts, change: Change, found: Found): Promise<void> {
  const { site, when } = parts;
  const release = when === "waiting" ? await holdSequencer(site.log) : null;
  const opened = await vaultOver(site, parts.make);
  try {
    await readNewest(opened.vault, "all");
    if (when === "carried") await carried(site, opened);
    await edited(site.hands, change);
    await look(parts, { opened, release, looked: lookedAt(change, site) }, found);
  } finally {
    await opened.vault.close();
  }
}

/** The hand has come, and then the vault is opened. */
async function atRest(parts: TrialParts, change: Change, found: Found): Promise<void> {
  const { site, when } = parts;
  const release = when === "waiting" ? await heldIfCan(site.log) : null;
  const opened = await outcomeOf(() => vaultOver(site, parts.make));
  if ("code" in opened) {
    found.open = opened.code;
    await release?.();
    const log = await outcomeOf(() => verifiedAlone(parts));
    if ("result" in log) found.verified(log.result);
    else found.log.add(log.code);
    return;
  }
  try {
    await look(parts, { opened: opened.result, release, looked: lookedAt(change, site) }, found);
  } finally {
    await opened.result.vault.close();
  }
}

async function heldIfCan(log: AuditLog): Promise<(() => Promise<void>) | null> {
  return holdSequencer(log).catch(() => null);
}

const lookedAt = (change: Change, { hands }: Site): Looked => recordsOf(change, hands.records) ?? "all";

/** What is looked at. */
interface Look {
  readonly opened: Opened;
  /** Lets what waits be carried. */
  readonly release: (() => Promise<void>) | null;
  readonly looked: Looked;
}

/** Reads before what waits is carried and after it, verifies, and writes. */
async function look({ site }: TrialParts, { opened, release, looked }: Look, found: Found): Promise<void> {
  const { vault } = opened;
  const before = await readAll(vault, looked);
  found.answers.add(before);
  found.wrongBefore.push(...before.wrong);
  await release?.().catch(() => undefined);
  opened.later(COMPARED_MS);
  await carried(site, opened);
  found.answers.add(await readNewest(vault, looked));
  const log = await outcomeOf(() => vault.audit!.verify());
  if ("result" in log) found.verified(log.result);
  else found.log.add(log.code);
  const records = await outcomeOf(() => vault.verify());
  if ("code" in records) found.records.add(records.code);
  else for (const code of Object.keys(records.result.problems)) found.records.add(code);
  found.answers.add(await writeAll(vault, looked));
  await carried(site, opened);
  found.told(opened);
}

/** Longer than a vault waits before it compares its stores again. */
export const COMPARED_MS = 11_000;
const WAITED_MS = 5;
/** It was tried again then, and failed again. */
const MOST_FAULTS = 2;

/** Until what waits is in the log, or it cannot come there. */
export async function carried(
  { store, keyStore }: Omit<Stores, "close">,
  { alarms, faults, vault }: Opened,
): Promise<void> {
  const before = faults.length;
  // Wakes the sequencer.
  await vault.audit!.tell("audit-read", "done").catch(() => undefined);
  const isEnd = async (): Promise<boolean> => {
    if (faults.length >= before + MOST_FAULTS || alarms.some(isLast)) return true;
    for (const { outbox } of [store, keyStore]) {
      const waiting = await outcomeOf(() => outbox.waiting(1));
      if ("result" in waiting && waiting.result.entries > 0) return false;
    }
    return true;
  };
  const until = performance.now() + MOST_WAITED_MS;
  while (!(await isEnd()) && performance.now() < until) await delay(WAITED_MS);
}
const MOST_WAITED_MS = 20_000;

const isLast = ({ code }: AuditAlarm): boolean => code === "store-rolled-back";

/** Verifies the log of a vault that is not opened. */
async function verifiedAlone({ site, make: { witnesses = [] }, key }: TrialParts): Promise<LogReport> {
  const checkpoints: string[] = [];
  for (const read of [() => noteOf(site.keyStore), ...witnesses.map((witness) => () => witness.read())]) {
    const note = await read().catch(() => null);
    if (note !== null) checkpoints.push(note);
  }
  return verifyAuditLog(site.log, { key, checkpoints });
}

const noteOf = ({ checkpoint }: KeyStore): Promise<string | null> => checkpoint.read();
