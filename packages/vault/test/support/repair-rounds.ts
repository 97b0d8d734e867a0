/**
 * Rounds in which two processes share one store: a region is lost, both write; the region is back, both repair the same
 * debts and write on. Seeded. After each round what must hold is checked: nothing is owed, every acknowledged write is
 * there, and the stores of both together have replaced no message twice.
 */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { parseAddress, parseVersion } from "@strongroom/vault";
import type { RepairStatus, Store, Vault } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { REGIONS, regionalVault, QUICK_KEYRING, until } from "./regional-vault.ts";
import { fileStorage } from "./storage.ts";
import type { Acknowledged, Order, Report, Seen, Setup, Write } from "./repairer.ts";

export interface RoundsReport {
  readonly rounds: number;
  readonly seed: number;
  readonly acknowledgedWrites: number;
  readonly lostWrites: number;
  /** Versions that owed a wrap when they were written. */
  readonly debts: number;
  /** Of those, versions that were removed before they were repaired. */
  readonly removedUnpaid: number;
  readonly repaired: number;
  readonly repairedByProcess: readonly number[];
  /** Versions whose message was replaced more than once. */
  readonly repairedTwice: number;
  /** Repairs that were sealed and then not made, because somebody was faster. */
  readonly overtaken: number;
  readonly seconds: number;
}

const COLLECTION = "people";
const SHARED = { collection: COLLECTION, id: "shared-counter" };

/** @throws AssertionError that names the seed and the round */
export async function repairRounds(t: TestContext, rounds: number, seed: number): Promise<RoundsReport> {
  const began = performance.now();
  const storage = await fileStorage(t);
  const { path } = storage;
  const { vault, store, kms, keys, dataDir } = await regionalVault(t, { keyring: QUICK_KEYRING, storage });
  await vault.put(SHARED, { n: 0 });
  const credentials = JSON.parse(await readFile(join(dataDir, "credentials.json"), "utf8")) as Setup["credentials"];
  const regions = keys.map(({ region, keyArn }) => ({ region, keyArn, endpoint: kms.endpoints[region]! }));
  const processes = await Promise.all(
    ["one", "two"].map((name) => startProcess(t, { path, name, regions, credentials })),
  );
  const random = randomFrom(seed);
  const ledger = new Ledger();
  let lostWrites = 0;

  for (let round = 1; round <= rounds; round++) {
    const region = REGIONS[Math.floor(random() * REGIONS.length)]!;
    const [outage, after] = [1, 2].map(() => processes.map(({ name }) => someWrites(random, name, round)));
    await kms.stopRegion(region);
    for (const acknowledged of await Promise.all(processes.map((child, index) => child.write(outage![index]!))))
      ledger.add(acknowledged);
    await kms.startRegion(region);
    const live = Promise.all(processes.map((child, index) => child.write(after![index]!)));
    for (const acknowledged of await live) ledger.add(acknowledged);
    await until(async () => (await vault.wrapDebt()).items === 0);
    const lost = await ledger.check(vault);
    lostWrites += lost.length;
    const twice = repeated((await seenBy(processes)).repairs);
    assert.deepEqual({ lost, twice }, { lost: [], twice: [] }, `seed ${seed}, round ${round}`);
  }

  const statuses = (await Promise.all(processes.map((child) => child.status()))).map(({ status }) => status);
  const { debts, repairs } = await seenBy(processes);
  for (const child of processes) await child.end();
  const unpaid = debts.filter((version) => !repairs.includes(version));
  // A version that owed and was not repaired must be one that was removed; and every version that is left has all its
  // wraps.
  for (const version of unpaid) assert.equal(await isThere(store, version), false, version);
  for (const { id } of await allIds(vault))
    for (const { wraps } of await vault.history({ collection: COLLECTION, id }))
      assert.deepEqual(wraps, { stored: 3, target: 3 }, id);
  assert.equal(
    statuses.reduce((sum, status) => sum + status.repaired, 0),
    repairs.length,
    "what the processes say they did is what their stores did",
  );
  return {
    rounds,
    seed,
    acknowledgedWrites: ledger.acknowledged,
    lostWrites,
    debts: debts.length,
    removedUnpaid: unpaid.length,
    repaired: repairs.length,
    repairedByProcess: statuses.map((status) => status.repaired),
    repairedTwice: repeated(repairs).length,
    overtaken: statuses.reduce((sum, status) => sum + status.overtaken, 0),
    seconds: Math.round((performance.now() - began) / 1000),
  };
}

/** Of `id/version`. */
async function isThere({ records }: Store, name: string): Promise<boolean> {
  const [id = "", version] = name.split("/");
  const address = parseAddress({ collection: COLLECTION, id });
  return (await records.read(address, parseVersion(Number(version)))).stored !== null;
}

async function allIds(vault: Vault): Promise<readonly { readonly id: string }[]> {
  const found = [];
  let cursor: string | undefined;
  do {
    const page = await vault.list(COLLECTION, { limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
    for (const item of page.items) found.push(item);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return found;
}

/** What all of them have done so far. */
async function seenBy(processes: readonly Repairer[]): Promise<Seen> {
  const seen = (await Promise.all(processes.map((child) => child.status()))).map((report) => report.seen);
  return { debts: seen.flatMap(({ debts }) => debts), repairs: seen.flatMap(({ repairs }) => repairs) };
}

const repeated = (versions: readonly string[]): readonly string[] =>
  versions.filter((version, index) => versions.indexOf(version) !== index);

/**
 * Records of this process and round, so that a removal takes no other's word; increments of the one record that both
 * write.
 */
function someWrites(random: () => number, name: string, round: number): readonly Write[] {
  const id = (): string => `${name}-${round % 50}-${Math.floor(random() * 4)}`;
  return Array.from({ length: 2 + Math.floor(random() * 4) }, (): Write => {
    const drawn = random();
    if (drawn < 0.45) return { kind: "write", id: id() };
    if (drawn < 0.6) return { kind: "batch", ids: [id(), id(), id()] };
    if (drawn < 0.75) return { kind: "remove", id: id() };
    return { kind: "increment" };
  });
}

/** What was acknowledged, and what must therefore be there. */
class Ledger {
  acknowledged = 0;
  #increments = 0;
  readonly #records = new Map<string, Map<number, Acknowledged["document"]>>();
  readonly #touched = new Set<string>();

  add(acknowledged: readonly Acknowledged[]): void {
    for (const { id, version, document } of acknowledged) {
      this.acknowledged++;
      if (id === SHARED.id) this.#increments++;
      const versions = this.#records.get(id) ?? new Map<number, Acknowledged["document"]>();
      // A removal takes the versions before it away, and its own number with them.
      if (document === null) versions.clear();
      else versions.set(version, document);
      this.#records.set(id, versions);
      this.#touched.add(id);
    }
  }

  /** The writes since the last check that are not there as they were acknowledged. */
  async check(vault: Vault): Promise<readonly string[]> {
    const lost: string[] = [];
    const counter = await vault.get(SHARED);
    if (counter.document["n"] !== this.#increments)
      lost.push(`the counter is ${JSON.stringify(counter.document["n"])} after ${this.#increments} increments`);
    for (const id of this.#touched) {
      if (id === SHARED.id) continue;
      const versions = this.#records.get(id) ?? new Map<number, Acknowledged["document"]>();
      const found = await vault.history({ collection: COLLECTION, id }).then(
        (history) => history.map(({ version }) => version),
        () => [],
      );
      if (found.join() !== [...versions.keys()].sort((a, b) => b - a).join())
        lost.push(`${id} has versions ${found.join()}, acknowledged were ${[...versions.keys()].join()}`);
      for (const [version, document] of versions) {
        const read = await vault
          .get({ collection: COLLECTION, id }, { version })
          .catch((error: unknown) => ({ document: error }));
        if (JSON.stringify(read.document) !== JSON.stringify(document)) lost.push(`${id} version ${version}`);
      }
    }
    this.#touched.clear();
    return lost;
  }
}

interface Repairer {
  readonly name: string;
  write(writes: readonly Write[]): Promise<readonly Acknowledged[]>;
  status(): Promise<{ readonly status: RepairStatus; readonly seen: Seen }>;
  end(): Promise<void>;
}

async function startProcess(t: TestContext, setup: Setup): Promise<Repairer> {
  const script = new URL("repairer.ts", import.meta.url).pathname;
  const child = fork(script, [JSON.stringify(setup)], {
    execArgv: ["--conditions=@strongroom/source"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  defer(t, async () => {
    if (child.connected) child.disconnect();
    await ended;
  });
  await answer(child, "ready");
  return {
    name: setup.name,
    write: async (writes) => (await ask(child, { kind: "writes", writes }, "written")).acknowledged,
    status: () => ask(child, { kind: "status" }, "status"),
    end: async () => {
      child.send({ kind: "end" } satisfies Order);
      await ended;
    },
  };
}

async function ask<Kind extends Report["kind"]>(
  child: ChildProcess,
  order: Order,
  kind: Kind,
): Promise<Extract<Report, { kind: Kind }>> {
  const answered = answer(child, kind);
  child.send(order);
  return answered;
}

function answer<Kind extends Report["kind"]>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<Report, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      child.off("message", heard);
      child.off("exit", died);
    };
    const heard = (message: unknown): void => {
      const report = message as Report;
      if (report.kind !== kind) return;
      done();
      resolve(report as Extract<Report, { kind: Kind }>);
    };
    const died = (code: number | null): void => {
      done();
      reject(new Error(`the process ended with ${String(code)}`));
    };
    child.on("message", heard);
    child.on("exit", died);
  });
}

/** mulberry32: small, seeded, good enough to draw tests. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
