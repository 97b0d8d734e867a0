/**
 * Processes of a vault with an audit that are killed, again and again: the one that carries entries to the log, while
 * others write and read; and one that does all of it. What was acknowledged is in the log, once, and nobody is told that
 * anything was set back or taken away.
 */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isVaultError } from "@strongroom/vault";
import type { AuditLog, Store, Vault } from "@strongroom/vault";
import { defer } from "../defer.ts";
import { entriesOf, requireAnswersIn, requireSound } from "./audited-log.ts";
import type { Answered, Call } from "./audited-log.ts";
import { openAuditedVault, openLogPlace, prepareAuditedPlace } from "./audited-place.ts";
import type { AuditedPlace } from "./audited-place.ts";
import { AuditedProcess } from "./audited-process.ts";
import { PEOPLE } from "./audited-task.ts";
import type { AuditedRole, AuditedTask } from "./audited-task.ts";
import { temporaryFolder } from "./folder.ts";
import { newTestKey } from "./keys.ts";
import type { TestKey } from "./keys.ts";
import { openPlace } from "./place.ts";
import { tokenOf } from "./task.ts";

/** Calls that were begun, or entries that a sequencer has added, after which it is killed, at most. */
const MOST_CALLS = 60;
const MOST_ENTRIES = 200;
/** Longest time from the last of them, so that it dies anywhere in what it does. */
const LONGEST_MS = 30;
/** So long a dead process keeps the log from the next one. */
const LEASE_MS = 400;
const RECORDS = 30;
/** Of as many, some end between two stores. */
const MANY_KILLS = 50;

/** What is killed, how often. */
export interface AuditKilled {
  readonly place: AuditedPlace;
  readonly kills: number;
}

/** Kills whoever carries entries to the log, while two others write and read. */
export async function sequencerKilled(t: TestContext, { place, kills }: AuditKilled): Promise<void> {
  const trial = await Trial.begin(t, place);
  const others = await Promise.all(
    (["writes", "reads"] as const).map(async (role) => {
      const one = trial.next();
      trial.begin(one, role);
      await one.until(({ isOpened }) => isOpened);
      return one;
    }),
  );
  let next = trial.next();
  let [added, early, between] = [0, 0, 0];
  for (let round = 0; round < kills; round++) {
    const sequencer = next;
    if (round + 1 < kills) next = trial.next();
    const before = (await trial.log.state()).size;
    trial.begin(sequencer, "sequences");
    // Some die while they open the vault, or compare the stores.
    if (Math.random() < 0.1) await sleep(Math.random() * 1000);
    else {
      const enough = before + 1 + Math.floor(Math.random() * MOST_ENTRIES);
      while ((await trial.log.state()).size < enough) {
        for (const one of [sequencer, ...others]) one.requireRunning();
        await sleep(5);
      }
    }
    await sleep(Math.random() * LONGEST_MS);
    await sequencer.kill();
    if (await trial.isBetween()) between++;
    const { size } = await trial.log.state();
    if (size > before) added += size - before;
    else early++;
  }
  for (const one of others) await one.kill();
  const { answered, size } = await trial.check();
  t.diagnostic(
    `${kills} sequencers killed, ${early} of them before they had added anything, the others after ` +
      `${Math.round(added / Math.max(1, kills - early))} entries in the middle, ${between} of them after they had added ` +
      `entries and before they had dropped them; ${wordsOf(answered)}; ` +
      `${size} entries in the log, each once, and the tree is whole`,
  );
  assert.ok(answered.acknowledged > kills, "the others wrote and read");
  assert.ok(early <= kills / 2, "most had added something");
  if (kills >= MANY_KILLS) assert.ok(between > 0, "some left in the outbox what is in the log");
}

/** Kills one that writes, reads and carries entries to the log, with all of it under way; then opens what it left. */
export async function vaultKilled(t: TestContext, { place, kills }: AuditKilled): Promise<void> {
  const trial = await Trial.begin(t, place);
  let next = trial.next();
  for (let round = 0; round < kills; round++) {
    const one = next;
    if (round + 1 < kills) next = trial.next();
    trial.begin(one, "all");
    const enough = 1 + Math.floor(Math.random() * MOST_CALLS);
    await one.until(({ calls }) => calls.length >= enough);
    await sleep(Math.random() * LONGEST_MS);
    await one.kill();
    await trial.openNext();
  }
  const { answered, size } = await trial.check();
  t.diagnostic(`${kills} processes killed; ${wordsOf(answered)}; ${size} entries in the log, each once`);
  assert.ok(answered.acknowledged > kills && answered.unanswered > 0, "they died in the middle of something");
}

const wordsOf = ({ acknowledged, unanswered, logged }: Answered): string =>
  `${acknowledged} calls answered, all in the log, and ${unanswered} not, ${logged} of these in the log`;

/** A place, processes, and what they said. */
class Trial {
  readonly #t: TestContext;
  readonly #place: AuditedPlace;
  readonly #key: TestKey;
  readonly #folder: string;
  readonly #processes: AuditedProcess[] = [];
  readonly #store: Pick<Store, "outbox">;
  readonly log: AuditLog;

  private constructor(
    t: TestContext,
    { place, key, folder }: { readonly place: AuditedPlace; readonly key: TestKey; readonly folder: string },
    { store, log }: { readonly store: Pick<Store, "outbox">; readonly log: AuditLog },
  ) {
    [this.#t, this.#place, this.#key, this.#folder] = [t, place, key, folder];
    [this.#store, this.log] = [store, log];
  }

  static async begin(t: TestContext, place: AuditedPlace): Promise<Trial> {
    const folder = join(await temporaryFolder(t), "said");
    await mkdir(folder);
    const key = newTestKey("one");
    await prepareAuditedPlace(place, key);
    await using vault = await openAuditedVault(place, key);
    await vault.put({ collection: PEOPLE, id: "first" }, { token: "first" });
    await vault.audit?.sequence();
    const log = await openLogPlace(place.log);
    defer(t, () => log.close());
    const store = await openPlace(place.records);
    defer(t, () => store.close());
    return new Trial(t, { place, key, folder }, { store, log });
  }

  /** Whether somebody died between adding entries to the log and dropping them where they waited. */
  async isBetween(): Promise<boolean> {
    const waiting = await this.#store.outbox.take(1000);
    const positions = await this.log.positions(waiting.map(({ id }) => id));
    return positions.some((position) => position !== null);
  }

  /** One that waits: what it takes to load the program is no time of the trial. */
  next(): AuditedProcess {
    return new AuditedProcess(this.#t);
  }

  begin(one: AuditedProcess, role: AuditedRole): void {
    const log = join(this.#folder, `${this.#processes.length}.log`);
    const task: AuditedTask = {
      ...{ place: this.#place, key: this.#key, role, log },
      ...{ records: RECORDS, atOnce: role === "sequences" ? 1 : 6, leaseMs: LEASE_MS },
    };
    this.#processes.push(one);
    one.begin(task);
  }

  /** Opens what was left as it was left, and closes it. */
  async openNext(): Promise<void> {
    const alarms: string[] = [];
    const vault = await this.#open(alarms);
    try {
      await vault.audit?.sequence();
    } finally {
      await vault.close();
    }
    assert.deepEqual(alarms, [], "nobody is told that anything is wrong");
  }

  #open(alarms: string[]): Promise<Vault> {
    return openAuditedVault(this.#place, this.#key, {
      leaseMs: LEASE_MS,
      onAlarm: ({ code, message }) => alarms.push(`${code}: ${message}`),
    });
  }

  /** Everything that must hold in the end. */
  async check(): Promise<{ readonly answered: Answered; readonly size: number }> {
    const alarms: string[] = [];
    await using vault = await this.#open(alarms);
    await vault.audit?.sequence();
    const report = await vault.audit?.verify();
    assert.deepEqual(report?.problems, []);
    const entries = await entriesOf(this.log);
    requireSound(entries);
    const said = this.#processes.map((one) => one.said);
    assert.deepEqual([...alarms, ...said.flatMap((one) => one.alarms)], [], "nobody is told that anything is wrong");
    const calls = said.flatMap((one) => one.calls);
    for (const one of calls) assert.ok(EXPECTED.has(one.answer?.result ?? "done"), JSON.stringify(one));
    const answered = requireAnswersIn(entries, calls);
    await requireStored(vault, calls);
    return { answered, size: entries.length };
  }
}

/** What calls may be told while others write the same records, and nothing is the matter. */
const EXPECTED: ReadonlySet<string> = new Set(["done", "record-absent", "version-conflict", "record-contended"]);

/** What was written once, and acknowledged, is there; each of the others is what one of its writes made it. */
async function requireStored(vault: Vault, calls: readonly Call[]): Promise<void> {
  const writes = calls.filter(({ kind }) => kind === "write" || kind === "batch" || kind === "within");
  const tokens = new Map<string, Set<string>>();
  for (const { records, token } of writes)
    for (const id of records) tokens.set(id, (tokens.get(id) ?? new Set()).add(token));
  for (const { records, answer, kind } of writes)
    for (const id of records) {
      const found = await vault.get({ collection: PEOPLE, id }).catch((error: unknown) => {
        if (isVaultError(error) && error.code === "record-absent") return null;
        throw error;
      });
      const isOnce = kind === "batch" || !id.startsWith("r");
      if (found === null) assert.ok(!isOnce || answer?.result !== "done", `${id} was acknowledged, and is not there`);
      else assert.ok(tokens.get(id)?.has(tokenOf(found.document)), `${id} is nobody's`);
    }
}
