import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { pathToFileURL } from "node:url";

import { memoryStore } from "@strongroom/vault/memory";

import { savePeers, saveStores } from "../save.ts";
import { reportOf } from "../harness/report.ts";
import { CONTENDERS } from "../stores/contenders.ts";
import { bytesOf, DOCUMENT_BYTES, idOf } from "../stores/documents.ts";
import { growSites } from "../stores/growth.ts";
import { Processes } from "../stores/processes.ts";
import { storesReportOf, type StoresReport } from "../stores/report.ts";
import { EFFORTS, ROWS, rowsOf, type StoreRow } from "../stores/rows.ts";
import { SITES } from "../stores/sites.ts";
import { playTurns, type StoreTurn } from "../stores/turns.ts";
import { together, type Trace } from "../stores/window.ts";
import { workUntilEnough } from "../stores/work.ts";
import { storesTableOf } from "../stores/table.ts";

const trace = (from: number, to: number, ended: readonly number[], took = 10): Trace => ({
  from,
  to,
  ended: Float64Array.from(ended),
  took: new Float64Array(ended.length).fill(took),
  cpuMicros: 5,
});

test("only what ended while all processes were at work counts", () => {
  const found = together([trace(0, 1_000, [100, 500, 700, 950]), trace(200, 900, [250, 899, 900], 20)], 1);
  assert.equal(found.windowMs, 700);
  assert.equal(found.operations, 4);
  assert.equal(found.rate, 4 / 0.7);
  assert.deepEqual(found.latencyMs, { p50: 10, p99: 20 });
});

test("a batch counts as its records, and its latency as one", () => {
  const found = together([trace(0, 1_000, [100, 200])], 500);
  assert.equal(found.rate, 1_000);
  assert.equal(found.cpuMicros, 5 / 500);
  assert.equal(found.latencyMs.p50, 10);
});

test("a process goes on until everybody has enough, and counts from when it was warm", async () => {
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  let underWay = 0;
  let most = 0;
  let stopping = 0;
  const operation = async (): Promise<void> => {
    most = Math.max(most, ++underWay);
    await pause(2);
    underWay -= 1;
  };
  const { trace: found, operations } = await workUntilEnough(
    operation,
    { atOnce: 4, warmupMs: 20, measureMs: 30 },
    async () => {
      stopping += 1;
      await pause(40);
    },
  );
  assert.equal(stopping, 1);
  assert.equal(most, 4);
  assert.equal(underWay, 0);
  assert.equal(found.ended.length, operations);
  // 30 ms until it had enough, and 40 ms until it was told to stop; a timer may come a millisecond early.
  assert.ok(found.to - found.from >= 68, `${found.to - found.from} ms`);
  assert.ok(found.ended.some((ended) => ended < found.from) && found.ended.some((ended) => ended > found.from + 30));
});

test("work that never waits is stopped all the same", async () => {
  const { operations } = await workUntilEnough(
    async () => undefined,
    { atOnce: 2, warmupMs: 1, measureMs: 5 },
    () => new Promise((resolve) => setTimeout(resolve, 5)),
  );
  assert.ok(operations > 10);
});

test("a failed operation fails the work", async () => {
  const failing = workUntilEnough(
    async (index) => {
      if (index === 7) throw new Error("record 7 has another document than its own");
    },
    { atOnce: 2, warmupMs: 1_000, measureMs: 1_000 },
    async () => undefined,
  );
  await assert.rejects(failing, /record 7/);
});

test("processes that were hardly at work together, or did nothing, are no figure", () => {
  assert.throws(() => together([trace(0, 100, [50]), trace(90, 190, [95])], 1), /together for 10 of 100 ms/);
  assert.throws(() => together([trace(0, 100, [50]), trace(200, 300, [250])], 1), /together/);
  assert.throws(() => together([trace(0, 100, [150])], 1), /no operation ended/);
});

test("records have ids and bytes of their own, all of one length", () => {
  const numbers = Array.from({ length: 20_000 }, (_, index) => index);
  assert.equal(new Set(numbers.map(idOf)).size, numbers.length);
  assert.ok(numbers.every((number) => bytesOf(number).length === DOCUMENT_BYTES));
});

for (const contender of ["vault", "clear"] as const) {
  test(`${contender}: what is written reads back, and a wrong record is noticed`, async () => {
    const store = memoryStore();
    const records = await CONTENDERS[contender]({ store });
    await records.put(1);
    await records.putBatch(2, 20);
    for (const number of [1, 2, 21]) await records.get(number);
    await assert.rejects(records.get(22), "a record that is not there");
    await assert.rejects(records.put(1), "a record that is there already");
    await assert.rejects(records.putBatch(20, 5), "a batch with records that are there already");
    await records.close();
  });
}

const MEMORY_ROWS: readonly StoreRow[] = ROWS.filter(({ id }) => ["memory-get-64x1", "memory-batch-1x1"].includes(id));

test(
  "a turn plays in processes of its own, and everything that it wrote is read back",
  { timeout: 60_000 },
  async () => {
    await using site = await SITES.memory();
    const effort = { ...EFFORTS.quick, warmupMs: 20, measureMs: 50, records: 100 };
    const { turns, failures } = await playTurns({
      processes: new Processes(["--conditions=@strongroom/source"]),
      rows: MEMORY_ROWS,
      sites: [site],
      effort,
      onStep: () => undefined,
    });
    assert.deepEqual(failures, []);
    assert.equal(turns.length, MEMORY_ROWS.length * 2);
    for (const { together: found, verified } of turns) {
      assert.ok(found.rate > 0 && found.latencyMs.p50 <= found.latencyMs.p99);
      assert.ok(verified >= found.operations);
    }
  },
);

test("a file that many processes share is played and grows", { timeout: 120_000 }, async () => {
  await using site = await SITES.sqlite();
  const options = { processes: new Processes(["--conditions=@strongroom/source"]), onStep: () => undefined };
  const effort = { ...EFFORTS.quick, warmupMs: 20, measureMs: 50, records: 100 };
  const rows = ROWS.filter(({ id }) => id === "sqlite-put-64x2");
  const played = await playTurns({ ...options, rows, sites: [site], effort });
  assert.deepEqual(played.failures, []);
  assert.equal(played.turns.length, 2);
  const { sizes, failures } = await growSites([site], { ...options, effort: { growth: [600, 1_300], starts: 1 } });
  assert.deepEqual(failures, []);
  assert.deepEqual(
    sizes.map(({ records, written }) => [records, written]),
    [
      [600, 600],
      [1_300, 700],
    ],
  );
  assert.ok(sizes.every(({ bytesPerRecord }) => bytesPerRecord > DOCUMENT_BYTES));
});

test("a process that cannot open its store fails the run, and says why", { timeout: 60_000 }, async () => {
  await using site = await SITES.memory();
  const place = { kind: "sqlite", file: join(tmpdir(), "strongroom-bench-there-is-no-such-folder", "vault") } as const;
  const { turns, failures } = await playTurns({
    processes: new Processes(["--conditions=@strongroom/source"]),
    rows: ROWS.filter(({ id }) => id === "sqlite-get-64x2"),
    sites: [{ ...site, kind: "sqlite", make: async () => place, remove: async () => undefined } as never],
    effort: EFFORTS.quick,
    onStep: () => undefined,
  });
  assert.equal(turns.length, 0);
  assert.equal(failures.length, 2);
  assert.ok(failures.every(({ message }) => message.startsWith("store-failed: ")));
});

function turn(row: string, contender: "vault" | "clear", rate: number, p99 = 5): StoreTurn {
  const found = { windowMs: 1_000, operations: 10, rate, latencyMs: { p50: 1, p99 }, cpuMicros: 1_000 / rate };
  return { row, contender, round: 0, together: found, peakRssMiB: 80, verified: 10 };
}

function storesReport(turns: readonly StoreTurn[]): StoresReport {
  return storesReportOf({
    pace: "full",
    effort: EFFORTS.full,
    loadBefore: 0,
    versions: { sqlite: "3.50.0" },
    absent: [{ store: "postgres", reason: "no server for this machine" }],
    rows: ROWS.filter(({ store, work }) => store !== "memory" && work !== "batch"),
    turns,
    sizes: [],
    failures: [],
  });
}

test("targets are judged by medians, and what was not measured never meets one", () => {
  const report = storesReport([
    turn("sqlite-get-64x1", "vault", 100),
    turn("sqlite-get-64x1", "clear", 300),
    turn("sqlite-get-64x2", "vault", 79, 100),
    turn("sqlite-get-64x4", "vault", 80, 99),
  ]);
  const verdictsOf = (id: string): unknown =>
    report.rows.find((row) => row.id === id)?.verdicts.map(({ measured, outcome }) => [measured, outcome]);
  assert.deepEqual(verdictsOf("sqlite-get-64x1"), [
    [1 / 3, "met"],
    [5, "met"],
  ]);
  assert.deepEqual(verdictsOf("sqlite-get-64x2"), [
    [0.79, "missed"],
    [100, "missed"],
  ]);
  assert.deepEqual(verdictsOf("sqlite-get-64x4"), [
    [0.8, "met"],
    [99, "met"],
  ]);
  assert.deepEqual(verdictsOf("postgres-get-64x1"), [[null, "not-measured"]]);
  assert.match(storesTableOf(report), /at least 0\.8x what one process does: 0\.790x {2}MISSED/);
  assert.match(storesTableOf(report), /not measurable here: PostgreSQL \(no server for this machine\)/);
});

test("every row has an id of its own, and the quick form has all kinds of work on the stores that are shared", () => {
  assert.equal(new Set(ROWS.map(({ id }) => id)).size, ROWS.length);
  assert.ok(ROWS.every(({ targets }) => targets.every((target) => target.kind !== "ratio" || isRow(target.row))));
  const quick = rowsOf("quick");
  for (const { store, work } of ROWS)
    assert.ok(store === "memory" || quick.some((row) => row.store === store && row.work === work));
});

const isRow = (id: string): boolean => ROWS.some((row) => row.id === id);

test("neither run wipes out what the other one has left on the page", (t) => {
  const docs = folderOf(t);
  const peers = reportOf({
    rows: [],
    field: { contenders: [], absent: [{ id: "a-peer", reason: "of the first run" }] },
    rounds: 5,
    pace: "full",
    loadBefore: 0,
    turns: [],
    failures: [],
  });
  const page = (): string => readFileSync(new URL("performance.md", docs), "utf8");
  savePeers(peers, docs);
  assert.doesNotMatch(page(), /## Stores/);
  saveStores(storesReport([turn("sqlite-get-64x1", "vault", 12_345)]), docs);
  assert.match(page(), /## Stores/);
  assert.match(page(), /12,300/);
  assert.match(page(), /of the first run/);
  const both = page();
  savePeers(peers, docs);
  assert.equal(page(), both);
  const picture = readFileSync(new URL("pictures/performance-stores.svg", docs), "utf8");
  assert.match(picture, /SQLite, get, 64 at once in each process/);
});

test("figures of the stores are kept also when there is no page to put them on", (t) => {
  const docs = folderOf(t);
  assert.throws(() => {
    saveStores(storesReport([]), docs);
  }, /performance\.json, which is not there/);
  assert.ok(JSON.parse(readFileSync(new URL("performance-stores.json", docs), "utf8")));
});

function folderOf(t: TestContext): URL {
  const folder = mkdtempSync(join(tmpdir(), "strongroom-bench-test-"));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return new URL(`${pathToFileURL(folder).href}/`);
}
