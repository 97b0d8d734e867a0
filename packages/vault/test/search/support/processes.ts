/**
 * What is tried with several processes over one vault, as often as a test has time for.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Vault } from "@strongroom/vault";
import { defer } from "../../../../../tests/support/defer.ts";
import { rejectsWith } from "../../support/errors.ts";
import { passTime } from "../../support/storage.ts";
import { openFor, PLAIN } from "./places.ts";
import type { Place } from "./places.ts";

/** A line of a process. */
interface Told {
  readonly ready?: true;
  readonly won?: readonly string[];
  readonly refused?: readonly string[];
  readonly records?: number;
  readonly built?: readonly string[];
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  /** The next line; null: there is none any more. */
  readonly next: () => Promise<Told | null>;
}

function start(place: Place, mode: "insert" | "build"): Running {
  const program = join(import.meta.dirname, "tagged-process.ts");
  const child = spawn(process.execPath, ["--conditions=@strongroom/source", program, JSON.stringify(place), mode], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Told | null> => {
    const { done, value } = await lines.next();
    return done === true ? null : (JSON.parse(value) as Told);
  };
  return { child, next, ended: new Promise((resolve) => child.once("close", resolve)) };
}

const AT_ONCE = 25;

/** Of fifty inserts of one value at the same time, half of them in another process, exactly one wins, in each round. */
export async function oneWins(t: TestContext, place: Place, rounds: number): Promise<void> {
  // With nothing declared in it yet: the first round has to make the indexes too.
  const both = [start(place, "insert"), start(place, "insert")];
  defer(t, () => {
    for (const { child } of both) child.kill("SIGKILL");
  });
  for (const { next } of both) assert.deepEqual(await next(), { ready: true });
  for (let round = 0; round < rounds; round++) {
    for (const { child } of both) child.stdin?.write(`r${round} ${AT_ONCE}\n`);
    const told = await Promise.all(both.map(({ next }) => next()));
    const won = told.flatMap((one) => one?.won ?? []);
    const refused = told.flatMap((one) => one?.refused ?? []);
    assert.equal(won.length, 1, `round ${round}: ${won.join()} ${[...new Set(refused)].join()}`);
    assert.deepEqual([...new Set(refused)], ["value-taken"]);
    assert.equal(refused.length, 2 * AT_ONCE - 1);
  }
  for (const { child, ended } of both) {
    child.stdin?.end();
    assert.equal(await ended, 0);
  }
  const vault = await openFor(t, place);
  for (let round = 0; round < rounds; round++)
    assert.equal((await vault.find("people", { email: `R${round}@example.com` })).items.length, 1);
  assert.equal((await vault.verify()).verdict, "whole");
}

/** Writers, finders and removers of two vaults while the key of the indexes is changed so often. */
export async function keyChangedUnderLoad(t: TestContext, place: Place, changes: number): Promise<void> {
  const vaults = [await openFor(t, place), await openFor(t, place)] as const;
  await vaults[0].put({ collection: "people", id: "first" }, { email: "first@example.com", name: "First" });
  const over = new AbortController();
  let [finds, writes] = [0, 0];
  const emailOf = (id: string, n: number): string => `${id}.${n}@example.com`;
  const idsOf = async (vault: Vault, query: Readonly<Record<string, string>>): Promise<readonly string[]> =>
    (await vault.find("people", query)).items.map(({ id }) => id);
  /** What is written by one is found by the other at once, and what was is not. */
  const work = async (lane: number): Promise<void> => {
    const [own, other] = lane % 2 === 0 ? vaults : ([vaults[1], vaults[0]] as const);
    for (let n = 0; !over.signal.aborted; n++) {
      const id = `lane${lane}-${n % 5}`;
      const address = { collection: "people", id };
      await own.put(address, { email: emailOf(id, n), name: `Lane ${lane}` });
      assert.deepEqual(await idsOf(other, { email: emailOf(id, n).toUpperCase() }), [id]);
      assert.deepEqual(await idsOf(other, { email: emailOf(id, n - 5) }), []);
      await rejectsWith("value-taken", () =>
        other.put({ collection: "people", id: "thief" }, { email: emailOf(id, n) }),
      );
      if (n % 7 === 3) {
        await other.remove(address);
        assert.deepEqual(await idsOf(own, { email: emailOf(id, n) }), []);
      }
      finds += 2;
      writes++;
      await delay(1);
    }
  };
  const lanes = Promise.all([0, 1, 2, 3].map(work));
  const changing = (async () => {
    for (let n = 0; n < changes; n++) {
      await delay(50);
      const { built, dropped } = await vaults[n % 2 === 0 ? 0 : 1].indexes.rotateKey();
      assert.deepEqual([built, dropped], [Array.of("people/email", "people/name"), ["people/email", "people/name"]]);
    }
  })();
  await Promise.race([lanes, changing]).finally(() => {
    over.abort();
  });
  await Promise.all([lanes, changing]);
  t.diagnostic(`${writes} writes, ${finds} finds, ${changes} changes of the key`);
  const { verdict, findings } = await vaults[0].verify();
  assert.deepEqual([verdict, findings], ["whole", []]);
}

const RECORDS = 1_500;
const PAGE = 64;
const idOf = (n: number): string => `r${String(n).padStart(4, "0")}`;

/** A build that is killed again and again, with writes between: the next process goes on with it. */
export async function buildKilled(t: TestContext, folder: string, kills: number): Promise<void> {
  const place: Place = { kind: "sqlite", folder };
  const path = join(folder, "records.sqlite");
  const plain = await openFor(t, place, PLAIN);
  const items = Array.from({ length: RECORDS }, (_, n) => ({
    id: idOf(n),
    document: { email: `p${n}@example.com`, name: `Person ${n % 7}` },
  }));
  for (let from = 0; from < RECORDS; from += 500)
    await plain.putMany("people", items.slice(from, from + 500), { onExisting: "replace" });
  const vault = await openFor(t, place);
  const gone = new Set<string>();
  const changed = new Map<string, string>();
  let [opened, killed] = [0, 0];
  for (;;) {
    const { child, next, ended } = start(place, "build");
    const isToDie = killed < kills;
    // So many pages that there is something left for all of them.
    const dieAfter = PAGE * Math.max(1, Math.floor((RECORDS - opened) / PAGE / (kills - killed + 1)));
    let [records, isBuilt] = [0, false];
    for (let told = await next(); told !== null; told = await next()) {
      isBuilt ||= told.built !== undefined;
      records = told.records ?? records;
      // In the middle of a page, or between its tags and the note that they were written.
      if (isToDie && records >= dieAfter) setTimeout(() => child.kill("SIGKILL"), Math.random() * 30);
    }
    assert.ok((await ended) === 0 || isToDie, "it ended by itself");
    opened += records;
    if (isBuilt) break;
    killed++;
    // What another process held it holds no longer.
    await passTime(path, { jobs: ["due_at", "renewed_at", "taken_at", "saved_at"] }, 120_000);
    const [one, other] = [idOf((killed * 31) % RECORDS), idOf((killed * 57 + 5) % RECORDS)];
    changed.set(one, `changed${killed}@example.com`);
    gone.delete(one);
    await vault.put({ collection: "people", id: one }, { email: `changed${killed}@example.com`, name: "Changed" });
    await vault.remove({ collection: "people", id: other }).catch(() => undefined);
    gone.add(other);
    changed.delete(other);
  }
  t.diagnostic(`${killed} kills, ${opened} records told as opened, of ${RECORDS}`);
  assert.ok(killed >= Math.min(kills, 3), `${killed} kills`);
  // Each of those that were killed may have told of a page that it had not saved.
  assert.ok(opened <= RECORDS + (killed + 1) * PAGE, `${opened} records were opened`);
  for (let n = 0; n < RECORDS; n++) {
    const id = idOf(n);
    const mail = changed.get(id) ?? `p${n}@example.com`;
    const { items: found } = await vault.find("people", { email: mail });
    assert.deepEqual(
      found.map((item) => item.id),
      gone.has(id) ? [] : [id],
    );
  }
  const { verdict, findings } = await vault.verify();
  assert.deepEqual([verdict, findings], ["whole", []]);
  using database = new DatabaseSync(path, { readOnly: true });
  const { tags } = database
    .prepare("select (select count(*) from tags) + (select count(*) from unique_tags) as tags")
    .get()!;
  assert.equal(tags, 2 * (RECORDS - gone.size), "not one tag too many");
}
