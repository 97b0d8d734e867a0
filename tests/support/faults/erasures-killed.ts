/**
 * Processes that are killed in the middle of erasures, with others that write about the same people and about living
 * ones. Each erasure is finished by whoever is there, nothing is left of whoever was erased, and everything of the
 * others. What one process has erased, the next read of another is refused, though it read it a moment ago.
 */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isVaultError, verifyCertificate } from "@strongroom/vault";
import type { SubjectId, Vault } from "@strongroom/vault";
import type { AuditedPlace } from "./audited-place.ts";
import { prepareAuditedPlace } from "./audited-place.ts";
import { INDEXES, openErasing, PEOPLE } from "./erasing-place.ts";
import type { ErasingLine, ErasingTask } from "./erasing-worker.ts";
import { temporaryFolder } from "./folder.ts";
import { openStores } from "./keyed-place.ts";
import { newTestKey } from "./keys.ts";
import type { TestKey } from "./keys.ts";
import { poolOf } from "./place.ts";
import type { Place } from "./place.ts";
import { ToldProcess } from "./told-process.ts";

const WORKER = fileURLToPath(new URL("erasing-worker.ts", import.meta.url));
/** Processes that erase at the same time, and people in each of them. */
const WORKERS = 2;
const LANES = 3;
/** Erasures that a process has answered when it is killed, at most. */
const MOST_ERASED = 4;
/** Longest time from the last of them, so that it dies anywhere in the next. */
const LONGEST_MS = 150;
/** Some die while they open the vault, which finishes what others left. */
const EARLY = 0.1;
const EARLY_MS = 500;
const WAIT_MS = 60_000;
/** Of as many kills, some fall into each part of an erasure. */
const MANY_KILLS = 50;

type Worker = ToldProcess<ErasingTask, ErasingLine>;

/** What whoever was erased is answered with, and whoever is being erased. */
const GONE: ReadonlySet<string> = new Set(["record-absent", "subject-erased"]);

/** Another process of the vault: it reads what the workers erase, writes about the same people, and is never killed. */
class Beside {
  readonly #vault: Vault;
  readonly #stopping = new AbortController();
  readonly #lanes: Promise<unknown>[] = [];
  /** Read before they were erased, and refused after. */
  hot = 0;
  /** Read after they were erased. */
  readonly opened: string[] = [];
  writes = 0;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /** From now on until it is erased, somebody is read and written about. @param isOver whoever erases was killed */
  follow(name: string, isErased: () => boolean, isOver: () => boolean): void {
    const { signal } = this.#stopping;
    const follow = async (): Promise<void> => {
      let isHot = false;
      for (let n = 0; !signal.aborted; n++) {
        const [wasErased, wasOver] = [isErased(), isOver()];
        const isOpen = await this.#isOpen(`${name}-0`);
        if (wasErased && isOpen) this.opened.push(name);
        if (wasErased && isHot && !isOpen) this.hot++;
        if (wasErased || (wasOver && !isOpen)) return;
        isHot ||= isOpen;
        if (n === 0) await this.#write(name);
        await sleep(2);
      }
    };
    this.#lanes.push(follow());
  }

  async end(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#lanes);
  }

  async #isOpen(id: string): Promise<boolean> {
    try {
      await this.#vault.get({ collection: PEOPLE, id });
      return true;
    } catch (error) {
      if (isVaultError(error) && GONE.has(error.code)) return false;
      throw error;
    }
  }

  async #write(name: string): Promise<void> {
    const id = `${name}-beside`;
    const document = { email: `${id}@example.com`, name };
    await this.#vault.put({ collection: PEOPLE, id }, document, { subject: name }).then(
      () => this.writes++,
      (error: unknown) => {
        if (!isVaultError(error) || error.code !== "subject-erased") throw error;
      },
    );
  }
}

/** What the workers said. */
interface Said {
  readonly begun: Set<string>;
  /** Name -> person, as it was answered. */
  readonly erased: Map<string, SubjectId>;
  readonly kept: Set<string>;
}

/** Runs it over stores that are empty, and fails the test for whatever is wrong. */
export async function erasuresKilled(
  t: TestContext,
  { place, kills }: { readonly place: AuditedPlace; readonly kills: number },
): Promise<void> {
  const folder = join(await temporaryFolder(t), "said");
  await mkdir(folder);
  const key = newTestKey("erasing");
  await prepareAuditedPlace(place, key);
  await using vault = await openErasing(place, key);
  const beside = new Beside(vault);
  const said: Said = { begun: new Set(), erased: new Map(), kept: new Set() };
  const steps = new Map<string, number>();
  const load = (): Worker => new ToldProcess(t, WORKER);
  let workers = 0;
  const begin = (one: Worker): Worker => {
    const prefix = `p${workers++}`;
    one.begin({ place, key, prefix, lanes: LANES, log: join(folder, `${prefix}.log`) });
    return one;
  };
  const heard = new Map<Worker, number>();
  const listen = (one: Worker): void => {
    const lines = one.lines();
    for (const line of lines.slice(heard.get(one) ?? 0)) {
      assert.ok(!("failed" in line), JSON.stringify(line));
      if ("kept" in line) said.kept.add(line.kept);
      if ("erased" in line) said.erased.set(line.erased, line.person as SubjectId);
      if (!("begins" in line)) continue;
      said.begun.add(line.begins);
      beside.follow(
        line.begins,
        () => said.erased.has(line.begins),
        () => !one.isRunning,
      );
    }
    heard.set(one, lines.length);
  };
  const waiting = [load()];
  let working = Array.from({ length: WORKERS }, () => begin(load()));
  /** Until it is in the middle of something. */
  const live = async (victim: Worker): Promise<void> => {
    const isEarly = Math.random() < EARLY;
    const enough = Math.floor(Math.random() * (MOST_ERASED + 1));
    const latest = performance.now() + (isEarly ? Math.random() * EARLY_MS : WAIT_MS);
    for (let isReady = false; !isReady && performance.now() < latest;) {
      await sleep(2);
      for (const one of working) {
        one.requireRunning();
        listen(one);
      }
      const erased = linesOf(victim, "erased");
      isReady = erased >= enough && linesOf(victim, "begins") > erased;
    }
    if (!isEarly) await sleep(Math.random() * LONGEST_MS);
  };
  try {
    for (let kill = 0; kill < kills; kill++) {
      waiting.push(load());
      const victim = working[0]!;
      await live(victim);
      await victim.kill();
      listen(victim);
      for (const { step } of await vault.erasure!.underWay()) steps.set(step, (steps.get(step) ?? 0) + 1);
      working = [...working.slice(1), begin(waiting.shift()!)];
    }
    for (const one of [...working, ...waiting]) {
      await one.kill();
      listen(one);
    }
  } finally {
    // What it still asks is not asked of a closed vault, whatever went wrong.
    await beside.end();
  }
  const { erased, alive } = await checked(t, { place, key, vault }, said);
  const seen = [...steps].map(([step, count]) => `${step}: ${count}`).join(", ");
  t.diagnostic(
    `${kills} kills, ${said.begun.size} erasures begun, ${said.erased.size} of them answered by who began them, ` +
      `${erased} people erased in the end; under way when somebody was killed: ${seen}; ${beside.writes} writes about ` +
      `them by another process, ${beside.hot} of its next reads refused; ${alive} records of others`,
  );
  assert.deepEqual(beside.opened, [], "what is erased is read by nobody");
  assert.ok(beside.hot > kills / 4, "another process had read them");
  if (kills >= MANY_KILLS) assert.ok(steps.size > 2, "some were killed in the middle of it");
}

interface Erasing {
  readonly place: AuditedPlace;
  readonly key: TestKey;
  readonly vault: Vault;
}

const linesOf = (one: Worker, kind: string): number => one.lines().filter((line) => kind in line).length;

/** Everything that must hold in the end. */
async function checked(
  t: TestContext,
  { place, key, vault }: Erasing,
  said: Said,
): Promise<{ readonly erased: number; readonly alive: number }> {
  const erasure = vault.erasure!;
  for (const latest = performance.now() + WAIT_MS; performance.now() < latest;) {
    if ((await erasure.underWay()).length === 0) break;
    await sleep(50);
  }
  assert.deepEqual(await erasure.underWay(), [], "they end by themselves");
  const { store, keyStore } = await openStores(place);
  try {
    const rows = await store.subjects.list({ after: null, limit: 1_000_000 });
    const erased = rows.filter(({ state }) => state !== "active").map(({ id }) => id);
    const answered = new Set(said.erased.values());
    for (const [n, id] of erased.entries()) {
      assert.deepEqual(await store.subjects.records(id, { after: null, limit: 9 }), []);
      assert.deepEqual(await keyStore.keys.erased([id]), [true]);
      for (const kind of ["subject", "tenant-subject"] as const)
        assert.deepEqual(await keyStore.keys.versions({ kind, owner: id }), [], "no key is left");
      answered.delete(id);
      if (n % 10 !== 0) continue;
      assert.equal(verifyCertificate(await erasure.certificate(id), await erasure.certificateKey()).facts.person, id);
    }
    assert.deepEqual(
      rows.filter(({ state }) => state === "erasing"),
      [],
      "none is half done",
    );
    assert.deepEqual([...answered], [], "what was answered as erased is");
    // As a process that comes now sees it: of the living everything, and not a row or tag more.
    await using later = await openErasing(place, key);
    const alive: string[] = [];
    for await (const { id } of all(later)) {
      const { document } = await later.get({ collection: PEOPLE, id });
      const { items } = await later.find(PEOPLE, { email: document["email"] as string });
      assert.deepEqual(
        items.map((item) => item.id),
        [id],
      );
      alive.push(id);
    }
    const kept = new Set(alive.filter((id) => said.kept.has(id)));
    assert.equal(kept.size, said.kept.size, "what was acknowledged of others is there");
    const { tags, strays } = await rowsOf(t, place.records);
    assert.deepEqual({ tags, strays }, { tags: alive.length * INDEXES, strays: 0 });
    const { verdict, problems, findings } = await later.verify();
    assert.deepEqual([verdict, problems], ["whole", {}], JSON.stringify(findings).slice(0, 500));
    await later.audit?.sequence();
    assert.deepEqual((await later.audit?.verify())?.problems, []);
    return { erased: erased.length, alive: alive.length };
  } finally {
    for (const opened of [keyStore, store]) await opened.close();
  }
}

async function* all(vault: Vault): AsyncGenerator<{ readonly id: string }> {
  for (let cursor: string | undefined; ;) {
    const page = await vault.list(PEOPLE, cursor === undefined ? {} : { cursor });
    yield* page.items;
    if (page.next === null) return;
    cursor = page.next;
  }
}

/** Tags, and versions of records that are no more. */
async function rowsOf(t: TestContext, place: Place): Promise<{ readonly tags: number; readonly strays: number }> {
  const in_ = (schema: string): string => `
    select (select count(*) from ${schema}tags) + (select count(*) from ${schema}unique_tags) as tags,
      (select count(*) from ${schema}versions v where not exists
        (select 1 from ${schema}heads h where h.record = v.record and h.state = 'live')) as strays`;
  if (place.kind === "sqlite") {
    using database = new DatabaseSync(place.path, { readOnly: true });
    return database.prepare(in_("")).get() as { tags: number; strays: number };
  }
  const pool = poolOf(place);
  t.after(() => pool.end());
  const { rows } = await pool.query<{ tags: string; strays: string }>(in_("strongroom."));
  return { tags: Number(rows[0]?.tags), strays: Number(rows[0]?.strays) };
}
