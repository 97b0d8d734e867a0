/**
 * A verification beside everything else: writers, removers, restrictions, repairs. Nothing is found that is not so.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { VerifyFinding, VerifyProgress } from "@strongroom/vault";
import { rejectsWith } from "../support/errors.ts";
import { auditedVault } from "../support/audited-vault.ts";
import { COLLECTIONS, filledVault, threeKeys } from "./support.ts";

const RECORDS = 60;

test("beside writers, removers and restrictions nothing is found", async (t) => {
  const { vault, another } = await auditedVault(t, { collections: COLLECTIONS, keyring: threeKeys() });
  const names = ["people", "secrets", "tenants", "cards"];
  const put = (collection: string, n: number): Promise<unknown> =>
    vault.put({ collection, id: `r${n}` }, { n }, { subject: `s${n}-${collection}@example.com` });
  for (const name of names) for (let n = 0; n < RECORDS; n++) await put(name, n);
  let isOver = false;
  let writes = 0;
  const busy = async (work: (n: number) => Promise<unknown>): Promise<void> => {
    for (let n = 0; !isOver; n++) {
      await work(n);
      writes++;
      // In memory nothing else ever waits: the sequencer has its turn too.
      await new Promise((resolve) => setTimeout(resolve, n % 8 === 0 ? 5 : 0));
    }
  };
  const of = (n: number): string => names[n % names.length]!;
  const traffic = [
    busy((n) => put(of(n), n % RECORDS)),
    busy((n) => put(of(n), RECORDS + n)),
    busy(async (n) => {
      const address = { collection: of(n), id: `r${(7 * n) % RECORDS}` };
      await vault.remove(address).catch(() => undefined);
      await put(address.collection, (7 * n) % RECORDS);
    }),
    busy(async (n) => {
      await vault.subjects.restrict(`t${n % 5}@example.com`);
      await vault.subjects.release(`t${n % 5}@example.com`);
    }),
    busy(async (n) => vault.subjects.renewKey(`s${n % RECORDS}-people@example.com`)),
  ];
  const other = await another({ collections: COLLECTIONS });
  for (let round = 1; round <= 4 || writes < 100; round++) {
    const report = await other.verify({ regions: round % 2 === 0 ? "each" : "any" });
    assert.deepEqual(report.findings, []);
    assert.equal(report.verdict === "problems", false);
    assert.ok(report.looked.records >= RECORDS * names.length - 8);
  }
  isOver = true;
  await Promise.all(traffic);
  await vault.audit!.sequence();
  const report = await other.verify();
  assert.deepEqual([report.verdict, report.problems], ["whole", {}]);
});

test("one that ended goes on at its cursor, and finds what is left", async (t) => {
  const { vault, change, verified } = await filledVault(t);
  for (let n = 0; n < 200; n++) await vault.put({ collection: "many", id: `m${n}` }, { n });
  await vault.audit!.sequence();
  change({ collection: "many", id: "m199" }, ({ head }) => ({ head: { ...head, version: 2 as never } }));
  const ended = new AbortController();
  let last: VerifyProgress | null = null;
  const first = verified({
    signal: ended.signal,
    onProgress: (progress) => {
      if (last?.part === "records" && last.done > 0) ended.abort();
      else last = progress;
    },
  });
  await rejectsWith("aborted", () => first);
  const { cursor, part } = last!;
  assert.equal(part, "records");
  const rest = await verified({ after: cursor! });
  // By its rows, and by the audit.
  assert.deepEqual(rest.problems, { "record-tampered": 2 });
  assert.equal(rest.looked.keys, 0);
  assert.ok(rest.looked.records < 211 && rest.looked.records > 100, `${rest.looked.records}`);
  await rejectsWith("cursor-invalid", () => verified({ after: "bm9uZQ" }));
});

test("a sample is of so many, and the same seed takes the same ones", async (t) => {
  const { vault, tables, verified } = await filledVault(t);
  for (let n = 0; n < 100; n++) await vault.put({ collection: "many", id: `m${n}` }, { n });
  await vault.audit!.sequence();
  // Each of them is wrong: what is found is what was looked at.
  for (const [key, row] of tables.records) if (key.startsWith("many/")) tables.records.set(key, { ...row, links: [] });
  const places = async (seed: string): Promise<readonly string[]> => {
    const found: VerifyFinding[] = [];
    const report = await verified({ sample: 20, seed, named: 0, onFinding: (one) => found.push(one) });
    assert.equal(report.looked.records, 20);
    assert.deepEqual([report.findings, report.sample], [[], { size: 20, seed }]);
    return found.map(({ place }) => JSON.stringify(place)).sort();
  };
  const [one, same, other] = [await places("a"), await places("a"), await places("b")];
  assert.ok(one.length > 5);
  assert.deepEqual(one, same);
  assert.notDeepEqual(one, other);
  const [drawn, again] = [await verified({ sample: 3 }), await verified({ sample: 3 })];
  assert.notEqual(drawn.sample!.seed, again.sample!.seed);
});

test("of one collection, nothing else is looked at", async (t) => {
  const { change, verified } = await filledVault(t);
  change({ collection: "people", id: "bob" }, () => ({ links: [] }));
  const cards = await verified({ collection: "cards" });
  assert.deepEqual([cards.verdict, cards.looked.records, cards.looked.keys], ["whole", 2, 0]);
  assert.deepEqual((await verified({ collection: "people" })).problems, { "link-missing": 1 });
  await rejectsWith("collection-absent", () => verified({ collection: "none" }));
  await rejectsWith("vault-option-invalid", () => verified({ sample: 0, rate: -1 }));
});
