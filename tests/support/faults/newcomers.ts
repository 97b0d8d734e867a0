/**
 * Two processes that make the same people and are killed, round after round; and after each round, what must hold
 * whenever they died: whoever is in a record has a key, nobody is there twice, and keys of nobody are listed.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isVaultError } from "@strongroom/vault";
import type { SubjectId } from "@strongroom/vault";
import { comparePeople } from "../../../packages/cli/src/doctor/people.ts";
import { defer } from "../defer.ts";
import { temporaryFolder } from "./folder.ts";
import { openKeyedVault, openStores, prepareKeyedPlace } from "./keyed-place.ts";
import type { KeyedPlace } from "./keyed-place.ts";
import { newTestKey } from "./keys.ts";
import type { TestKey } from "./keys.ts";
import { PEOPLE } from "./newcomers-task.ts";
import type { NewcomersLine, NewcomersTask, NewRecord } from "./newcomers-task.ts";

const WRITER = fileURLToPath(new URL("newcomers-writer.ts", import.meta.url));
/** Begun and ended writes after which a process is killed, at most. */
const MOST_LINES = 40;
/** Longest time from the last of them, so that it dies anywhere in a write. */
const LONGEST_MS = 20;
/** Of as many rounds, some end between a key and its record. */
const MANY_ROUNDS = 25;
/** How likely a trouble is made at each look. */
const TROUBLE = 0.1;

export interface Newcomers {
  readonly place: KeyedPlace;
  /** Two processes are killed in each. */
  readonly rounds: number;
  /** What else is done to the stores while both write. */
  readonly trouble?: () => Promise<unknown>;
}

/** Runs it, and fails the test for whatever is wrong. */
export async function newPeopleKilled(t: TestContext, { place, rounds, trouble }: Newcomers): Promise<void> {
  const folder = join(await temporaryFolder(t), "logs");
  await mkdir(folder);
  const key = newTestKey("one");
  await prepareKeyedPlace(place, key);
  const seen = { acknowledged: 0, lost: 0, stored: 0, orphans: 0 };
  const idOf = new Map<string, string>();
  let next = pair(t);
  for (let round = 0; round < rounds; round++) {
    const processes = next;
    if (round + 1 < rounds) next = pair(t);
    const tasks = ["a", "b"].map((name): NewcomersTask => {
      const writer = `r${round}${name}`;
      return { place, key, writer, names: `person-${round}`, log: join(folder, `${writer}.log`) };
    });
    await Promise.all(
      processes.map(async (child, index) => {
        const task = tasks[index]!;
        child.stdin!.write(`${JSON.stringify(task)}\n`);
        // By what it has done, and not by a time: a busy machine would kill it before it did anything.
        const lines = 1 + Math.floor(Math.random() * MOST_LINES);
        while ((await linesOf(task.log)) < lines) {
          assert.ok(child.exitCode === null && child.signalCode === null, "a process ended by itself");
          await sleep(5);
          if (Math.random() < TROUBLE) await trouble?.();
        }
        await sleep(Math.random() * LONGEST_MS);
        await kill(child);
      }),
    );
    const logs = await Promise.all(tasks.map(({ log }) => readFile(log, "utf8")));
    await check({ place, key, seen, idOf }, logs.map(recordsOf));
  }
  t.diagnostic(
    `${2 * rounds} processes killed; ${seen.acknowledged} records acknowledged and ${seen.lost} not, ` +
      `${seen.stored} of these stored; ${idOf.size} people; ${seen.orphans} keys of nobody, all listed`,
  );
  assert.ok(seen.acknowledged > rounds, "the processes wrote");
  // Of a few rounds it may be none.
  if (rounds >= MANY_ROUNDS) assert.ok(seen.orphans > 0, "some died between a key and its record");
}

interface Known {
  readonly place: KeyedPlace;
  readonly key: TestKey;
  readonly seen: { acknowledged: number; lost: number; stored: number; orphans: number };
  /** Of everybody whom a record was about, in every round. */
  readonly idOf: Map<string, string>;
}

interface Begun extends NewRecord {
  readonly isAcknowledged: boolean;
}

async function check({ place, key, seen, idOf }: Known, begun: readonly (readonly Begun[])[]): Promise<void> {
  const { store, keyStore } = await openStores(place);
  await using vault = await openKeyedVault(place, key);
  try {
    for (const { id, subject, token, isAcknowledged } of begun.flat()) {
      const found = await vault.get({ collection: PEOPLE, id }).catch((error: unknown) => {
        if (isVaultError(error) && error.code === "record-absent") return null;
        throw error;
      });
      seen[isAcknowledged ? "acknowledged" : "lost"]++;
      if (found === null) assert.ok(!isAcknowledged, `${id} was acknowledged, and is not there`);
      else {
        assert.deepEqual([found.document, found.subject, found.version], [{ token }, subject, 1], id);
        if (!isAcknowledged) seen.stored++;
        const { stored } = await store.records.read({ collection: PEOPLE, id } as never, null);
        assert.equal(idOf.get(subject) ?? stored?.subject, stored?.subject, `${subject} is two people`);
        idOf.set(subject, String(stored?.subject));
      }
    }
    assert.equal(new Set(idOf.values()).size, idOf.size, "no two names have one id");
    const compared = await comparePeople(
      { subjects: store.subjects, keys: keyStore.keys },
      { signal: AbortSignal.timeout(60_000) },
    );
    assert.deepEqual([compared.isWhole, compared.people, compared.keyless], [true, idOf.size, []]);
    const owners: SubjectId[] = [];
    for (let page = await keyStore.keys.people({ after: null, limit: 1000 }); page.length > 0;) {
      for (const id of page) owners.push(id);
      page = await keyStore.keys.people({ after: page.at(-1)!, limit: 1000 });
    }
    const known = new Set<string>(idOf.values());
    assert.deepEqual(
      compared.orphans,
      owners.filter((id) => !known.has(id)),
      "and no others are listed",
    );
    seen.orphans = compared.orphans.length;
  } finally {
    await store.close();
    await keyStore.close();
  }
}

/** Two processes that wait to be told. */
function pair(t: TestContext): readonly ChildProcess[] {
  return [0, 1].map(() => {
    const child = spawn(process.execPath, ["--conditions=@strongroom/source", WRITER], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin.on("error", () => undefined);
    defer(t, () => kill(child));
    return child;
  });
}

async function linesOf(log: string): Promise<number> {
  return existsSync(log) ? (await readFile(log, "utf8")).split("\n").length - 1 : 0;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

function recordsOf(log: string): readonly Begun[] {
  // The last line of a process that was killed may be half of one.
  const lines = log
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as NewcomersLine);
  const acknowledged = new Set(
    lines.flatMap((line) => ("answer" in line && line.answer === "acknowledged" ? [line.call] : [])),
  );
  return lines.flatMap((line) =>
    "records" in line ? line.records.map((record) => ({ ...record, isAcknowledged: acknowledged.has(line.call) })) : [],
  );
}
