// An export that is killed in the middle, by its end or by the service's: every record that had left is in the audit, as a
// part of that export.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { STRONGROOM } from "../support/commands.ts";
import { Installation } from "./installation.ts";

const RECORDS = 120;
const FIRST_LINES = 10;

interface Event {
  readonly action: string;
  readonly result: string;
  readonly export: string | null;
  readonly records: readonly { readonly id: string | null }[];
}

async function filled(): Promise<Installation> {
  const installation = await Installation.start();
  try {
    const lines = Array.from({ length: RECORDS }, (_, n) => JSON.stringify({ id: `p${n}`, text: "x".repeat(4000) }));
    const stdin = lines.join("\n");
    const args = ["import", "people", "-", "--format", "ndjson", "--id", "id"];
    const first = await installation.run(args, { stdin });
    // A busy machine may have kept a region from answering: the same command completes it.
    const { code, stderr } = first.code === 0 ? first : await installation.run(args, { stdin });
    assert.equal(code, 0, stderr);
  } catch (error) {
    await installation[Symbol.asyncDispose]();
    throw error;
  }
  return installation;
}

/** Begins an export into a pipe, and resolves when so many records have left; `all` is what has left in the end. */
async function begun(
  { folder, env }: Installation,
  lines: number,
): Promise<{ readonly child: ChildProcess; readonly all: () => Promise<readonly string[]> }> {
  const child = spawn(process.execPath, [STRONGROOM, "export", "people"], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const closed = once(child, "close");
  const left: string[] = [];
  const enough = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      // The last line of a process that was killed may be half of one.
      const id = /"id":"(p\d+)"/.exec(line)?.[1];
      if (id !== undefined) left.push(id);
      if (left.length >= lines) resolve();
    });
  });
  await Promise.race([enough, closed]);
  assert.ok(left.length >= lines && left.length < RECORDS, "it is in the middle");
  return {
    child,
    all: async () => {
      await closed;
      return left;
    },
  };
}

/** Everything that the audit tells of exports: ids that were read, by export, and how exports ended. */
async function told(installation: Installation) {
  const events: Event[] = [];
  let [size, waiting] = [0, 1];
  while (waiting > 0) {
    const status = await installation.request("GET", "/v1/audit/status");
    ({ size, waiting } = (await status.json()) as { size: number; waiting: number });
  }
  assert.ok(size > 0);
  for (let query = "?limit=100"; ;) {
    const answer = await installation.request("GET", `/v1/audit${query}`);
    const page = (await answer.json()) as { readonly events: readonly Event[]; readonly next: string | null };
    events.push(...page.events);
    if (page.next === null) break;
    query = `?limit=100&cursor=${page.next}`;
  }
  const exports = new Map<string, Set<string>>();
  for (const { action, export: name, records, result } of events)
    if (name !== null && action === "read" && result === "done")
      for (const { id } of records) exports.set(name, (exports.get(name) ?? new Set()).add(String(id)));
  return { exports, ends: events.filter(({ action }) => action === "export-ended") };
}

function requireIn(left: readonly string[], read: ReadonlySet<string> | undefined): void {
  assert.ok(read !== undefined);
  assert.deepEqual(
    left.filter((id) => !read.has(id)),
    [],
    "each that had left is in it",
  );
}

test("an export that is killed, one that is interrupted, and one whose service is: what left is in the audit", async (t) => {
  await using installation = await filled();
  const killed = await begun(installation, FIRST_LINES);
  killed.child.kill("SIGKILL");
  const left = await killed.all();
  const first = await told(installation);
  const [[name, read] = [], ...others] = first.exports;
  assert.deepEqual(others, []);
  requireIn(left, read);
  assert.deepEqual(first.ends, [], "it tells of no end");

  const interrupted = await begun(installation, FIRST_LINES);
  interrupted.child.kill("SIGINT");
  const more = await interrupted.all();
  const { exports, ends } = await told(installation);
  const second = [...exports.keys()].filter((one) => one !== name);
  assert.equal(second.length, 1);
  const interruptedReads = exports.get(second[0]!);
  requireIn(more, interruptedReads);
  assert.deepEqual(
    ends.map((end) => [end.export, end.result]),
    [[second[0], "aborted"]],
  );

  const served = await begun(installation, FIRST_LINES);
  process.kill(installation.pid, "SIGKILL");
  const last = await served.all();
  await installation.up();
  const after = await told(installation);
  const third = [...after.exports.keys()].filter((one) => one !== name && one !== second[0]);
  assert.equal(third.length, 1);
  const servedReads = after.exports.get(third[0]!);
  requireIn(last, servedReads);
  t.diagnostic(
    `${left.length}, ${more.length} and ${last.length} records had left; ` +
      `${read?.size}, ${interruptedReads?.size} and ${servedReads?.size} are in the audit`,
  );
});
