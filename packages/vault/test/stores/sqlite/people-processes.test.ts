/**
 * Several processes over one pair of files: they make the same people at once, and are killed between the commit of a
 * key and that of the record that hangs on it.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import type { SubjectId } from "@strongroom/vault";
import { sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import { at } from "../../../src/store-contract/changes.ts";
import { recordsOf } from "../../../src/store-contract/people.ts";
import { temporaryFolder } from "../../support/storage.ts";

const PROGRAM = join(import.meta.dirname, "../../support/people-process.ts");

interface Acknowledged {
  readonly n: number;
  readonly id: string;
  readonly person: SubjectId;
}

/** Runs it until it ends, or until it has said so much: then it is killed. */
async function run(
  folder: string,
  name: string,
  count: number,
  killedAfter = Infinity,
): Promise<readonly Acknowledged[]> {
  const child = spawn(process.execPath, ["--conditions=@strongroom/source", PROGRAM, folder, name, String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const said: Acknowledged[] = [];
  for await (const line of createInterface(child.stdout)) {
    const [n = "", id = "", person = ""] = line.split(" ");
    said.push({ n: Number(n), id, person: person as SubjectId });
    if (said.length === killedAfter) child.kill("SIGKILL");
  }
  const [code] = (await ended) as [number | null];
  if (killedAfter === Infinity) assert.equal(code, 0);
  return said;
}

test("two processes that make the same people at once make each of them once", async (t) => {
  const folder = await temporaryFolder(t);
  const said = (await Promise.all(["a", "b"].map((name) => run(folder, name, 60)))).flat();
  const byNumber = Map.groupBy(said, ({ n }) => n);
  for (const [n, all] of byNumber) {
    assert.equal(all.length, 2);
    assert.equal(new Set(all.map(({ person }) => person)).size, 1, `person ${n} is two`);
  }
  const keys = await sqliteKeyStore(join(folder, "keys.sqlite"));
  const records = await sqliteStore(join(folder, "records.sqlite"));
  defer(t, () => Promise.all([keys.close(), records.close()]));
  assert.equal((await keys.keys.people({ after: null, limit: 1000 })).length, 60);
  assert.equal((await records.subjects.list({ after: null, limit: 1000 })).length, 60);
  for (const { n, person } of said.filter(({ id }) => id.startsWith("a-")))
    assert.deepEqual(await recordsOf(records, person), [`people/a-${n}`, `people/b-${n}`]);
});

test("killed wherever it is, a process leaves no record without its key, and of what it acknowledged nothing is lost", async (t) => {
  const folder = await temporaryFolder(t);
  const rounds = Array.from({ length: 4 }, (_, round) => round);
  const said: Acknowledged[] = [];
  for (const round of rounds) {
    const [one, other] = await Promise.all([
      run(folder, `a${round}`, 1000, 1 + round * 3),
      run(folder, `b${round}`, 1000, 2 + round * 5),
    ]);
    said.push(...one, ...other);
  }
  const keys = await sqliteKeyStore(join(folder, "keys.sqlite"), { mark: true });
  const records = await sqliteStore(join(folder, "records.sqlite"), { mark: true });
  defer(t, () => Promise.all([keys.close(), records.close()]));
  const people = await records.subjects.list({ after: null, limit: 1000 });
  const owners = people.map(({ id }) => ({ kind: "subject" as const, owner: id }));
  assert.ok(people.length > 10);
  for (const { key } of await keys.keys.active(owners)) assert.equal(key?.ordinal, 1, "a record without its key");
  assert.ok((await keys.keys.names(people.map(({ id }) => id))).every((name) => name !== null));
  for (const { id, person } of said) {
    const { stored, subjects } = await records.records.read(at(id), null);
    assert.deepEqual([stored?.subject, subjects[0]?.id], [person, person]);
  }
});
