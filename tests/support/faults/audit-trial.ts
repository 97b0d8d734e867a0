/**
 * A vault with an audit whose stores are in trouble while it is open: what calls are told, and, when it is over, whether
 * everything that was given out is in the log.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isVaultError } from "@strongroom/vault";
import type { ActingVault, Vault } from "@strongroom/vault";
import { defer } from "../defer.ts";
import { entriesOf, requireSound } from "./audited-log.ts";
import { openAuditedVault, openLogPlace, prepareAuditedPlace } from "./audited-place.ts";
import type { AuditedPlace } from "./audited-place.ts";
import { newTestKey } from "./keys.ts";

const PEOPLE = "people";
export const ADA = { collection: PEOPLE, id: "ada" };
const LOOK_MS = 20;

/** What a call gives out, or changes. */
const CALLS = {
  read: (vault) => vault.get(ADA),
  list: (vault) => vault.list(PEOPLE),
  history: (vault) => vault.history(ADA),
  write: (vault, id) => vault.put({ collection: PEOPLE, id }, { id, text: "x".repeat(4000) }, { subject: id }),
} as const satisfies Readonly<Record<string, (vault: ActingVault, id: string) => Promise<unknown>>>;

export type TroubledCall = keyof typeof CALLS;
export const TROUBLED_CALLS: readonly TroubledCall[] = Object.keys(CALLS) as TroubledCall[];

export class AuditTrial {
  readonly vault: Vault;
  readonly alarms: string[] = [];
  /** Codes of what kept entries from the log. */
  readonly faults = new Set<string>();
  readonly #place: AuditedPlace;
  readonly #done: { readonly action: TroubledCall; readonly principal: string }[] = [];
  #calls = 0;

  private constructor(vault: Vault, place: AuditedPlace) {
    this.vault = vault;
    this.#place = place;
  }

  /** With a record about Ada. */
  static async open(t: TestContext, place: AuditedPlace): Promise<AuditTrial> {
    const key = newTestKey("one");
    await prepareAuditedPlace(place, key);
    const heard: { trial?: AuditTrial } = {};
    const vault = await openAuditedVault(place, key, {
      onAlarm: ({ code, message }) => heard.trial?.alarms.push(`${code}: ${message}`),
      onFault: (error) => heard.trial?.faults.add(isVaultError(error) ? error.code : String(error)),
    });
    defer(t, () => vault.close());
    await vault.put(ADA, { name: "Ada" }, { subject: "ada" });
    return (heard.trial = new AuditTrial(vault, place));
  }

  /** What the call was told: `done`, or the code of an error. */
  async call(action: TroubledCall): Promise<string> {
    const principal = `caller:${this.#calls++}`;
    try {
      await CALLS[action](this.vault.as({ principal }), `p${this.#calls}`);
      this.#done.push({ action, principal });
      return "done";
    } catch (error) {
      if (!isVaultError(error)) throw error;
      return error.code;
    }
  }

  /** What each of them was told. */
  async callAll(): Promise<Readonly<Record<TroubledCall, string>>> {
    const told = await Promise.all(TROUBLED_CALLS.map(async (name) => [name, await this.call(name)] as const));
    return Object.fromEntries(told) as Record<TroubledCall, string>;
  }

  /** Waits until a call is told something: the trouble has come, or it is over. */
  async until(action: TroubledCall, expected: string): Promise<void> {
    while ((await this.call(action)) !== expected) await sleep(LOOK_MS);
  }

  /** Waits until what was done is waiting, and cannot be carried. */
  async untilFault(code: string): Promise<void> {
    while (!this.faults.has(code)) await sleep(LOOK_MS);
  }

  /** The same vault does everything again, and all that it ever gave out is in the log. */
  async requireBack(): Promise<number> {
    await this.until("read", "done");
    await this.until("write", "done");
    assert.deepEqual(await this.callAll(), EVERYTHING);
    await this.vault.audit?.sequence();
    assert.deepEqual((await this.vault.audit?.verify())?.problems, []);
    const log = await openLogPlace(this.#place.log);
    const entries = await entriesOf(log).finally(() => log.close());
    requireSound(entries);
    for (const { action, principal } of this.#done)
      assert.equal(
        entries.filter((entry) => entry.principal === principal && entry.action === action && entry.result === "done")
          .length,
        1,
        `${action} of ${principal}`,
      );
    assert.deepEqual(this.alarms, []);
    return this.#done.length;
  }
}

/** What all calls are told when nothing is the matter; and when the audit takes no entry. */
export const EVERYTHING: Readonly<Record<TroubledCall, string>> = same("done");
export const NOTHING: Readonly<Record<TroubledCall, string>> = same("audit-unavailable");

function same(code: string): Readonly<Record<TroubledCall, string>> {
  return Object.fromEntries(TROUBLED_CALLS.map((name) => [name, code])) as Record<TroubledCall, string>;
}
