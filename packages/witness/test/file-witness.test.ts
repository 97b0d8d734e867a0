import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { FileWitness } from "../src/file-witness.ts";
import type { FileWitnessOptions } from "../src/file-witness.ts";
import { failures, GrownLog } from "./grown-log.ts";

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "strongroom-witness-"));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

const witnessAt = (path: string, more: Partial<FileWitnessOptions> = {}): FileWitness =>
  new FileWitness(path, { apartFrom: [], folder: "must-be-there", failures, ...more });

test("it lies in none of the folders that are set back with it, by whichever name, there yet or not", (t) => {
  const folder = folderFor(t);
  const [records, keys, apart] = [join(folder, "records"), join(folder, "keys"), join(folder, "apart")];
  mkdirSync(records);
  mkdirSync(apart);
  symlinkSync(records, join(folder, "link"));
  symlinkSync(join(keys, "not-there-yet"), join(apart, "link"));
  const apartFrom = [records, keys];
  for (const path of [
    join(records, "checkpoint"),
    join(records, "deep", "down", "checkpoint"),
    join(folder, "link", "checkpoint"),
    join(folder, "link", "deep", "checkpoint"),
    join(keys, "checkpoint"),
    join(apart, "link"),
    records,
  ])
    assert.throws(() => witnessAt(path, { apartFrom }), { code: "invalid" }, path);
  assert.throws(() => witnessAt(join(records, "w"), { apartFrom: [join(folder, "link")] }), { code: "invalid" });
  for (const path of [join(apart, "checkpoint"), join(folder, "records-of-another"), join(folder, "..records")])
    assert.doesNotThrow(() => witnessAt(path, { apartFrom }), path);
});

test("its folder is made where that is asked for, and for its owner alone; else it is away", async (t) => {
  const folder = folderFor(t);
  const path = join(folder, "state", "witness", "one.checkpoint");
  const log = new GrownLog().grow(2);
  const away = witnessAt(path);
  assert.equal((await away.examine(log.head())).kind, "away");
  await assert.rejects(away.record(log.head()), { code: "ENOENT" });
  const made = witnessAt(path, { folder: "is-made" });
  assert.deepEqual(await made.examine(log.head()), { kind: "nothing" });
  await made.record(log.head());
  assert.deepEqual([statSync(join(folder, "state")).mode & 0o777, statSync(path).mode & 0o777], [0o700, 0o600]);
  assert.deepEqual(await made.examine(log.grow(1).head()), { kind: "seen", size: 2 });
});

test("a process that was slower does not set back what another one has told", async (t) => {
  const path = join(folderFor(t), "checkpoint");
  const log = new GrownLog().grow(2);
  const slow = log.copy();
  await witnessAt(path).record(log.grow(5).head());
  await witnessAt(path).record(slow.head());
  assert.match(readFileSync(path, "utf8"), /\n7\n/);
  assert.match((await witnessAt(path).read()) ?? "", /\n7\n/);
  await assert.rejects(witnessAt(path).examine(slow.head()), { code: "set-back" });
  const accepted = slow.accept(log.origin.replace("/one", "/two")).grow(1);
  await witnessAt(path).record(accepted.head());
  assert.match(readFileSync(path, "utf8"), /\n3\n/, "a history that begins takes its place");
});

test("what the log's key did not sign keeps nothing from being remembered, however large it says it is", async (t) => {
  const path = join(folderFor(t), "checkpoint");
  const log = new GrownLog().grow(2);
  for (const content of [new GrownLog({ origin: log.origin }).grow(9).head().note, "junk", "", "x".repeat(400_000)]) {
    writeFileSync(path, content);
    await assert.rejects(witnessAt(path).examine(log.head()), { code: "set-back" });
    await witnessAt(path).record(log.head());
    assert.deepEqual(await witnessAt(path).examine(log.head()), { kind: "seen", size: 2 });
  }
});
