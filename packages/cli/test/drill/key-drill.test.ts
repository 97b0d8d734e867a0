// A real drill of keys with small numbers, on a copy of a vault that serves meanwhile; and what the promises say of
// what was seen.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { judgeKeys, type KeyEvidence } from "../../src/drill/keys/key-promises.ts";
import type { KeyDrillReport } from "../../src/drill/keys/run-key-drill.ts";
import { phaseFigures } from "../../src/drill/figures.ts";
import { runCommand } from "../support/command.ts";
import { startInstallation, temporaryFolder } from "../support/installation.ts";

test("on a copy every promise is kept; the vault is as it was, and nothing of the drill is left", async (t) => {
  const folder = await temporaryFolder();
  const installation = await startInstallation(folder.path);
  t.after(async () => {
    await installation.stop();
    await folder[Symbol.asyncDispose]();
  });
  const cwd = folder.path;
  await runCommand(["put", "people", "ada"], { cwd, stdin: '{"a":1}' });
  const inventory = async (): Promise<string> => (await runCommand(["keys", "inventory", "--json"], { cwd })).stdout;
  const before = [await inventory(), await readdir(cwd)];

  const args = ["--records", "16", "--rate", "10", "--kms-rate", "8", "--seed", "1"];
  const { code, stdout, stderr } = await runCommand(["keys", "drill", "--copy", "--json", ...args], { cwd });
  assert.equal(code, 0, stderr);
  const { promises, keys, run, verification, readBack, unacknowledged } = JSON.parse(stdout) as KeyDrillReport;
  assert.deepEqual(
    promises.filter(({ outcome }) => outcome === "broken"),
    [],
  );
  assert.deepEqual([run.state, keys.length], ["done", 6]);
  // The person's own record is in the copy, and was opened with the others; and so was what was stored by the process
  // that was killed, before it could say so.
  assert.equal(verification?.looked.versions, readBack.versions + unacknowledged + 1);
  assert.deepEqual([await inventory(), await readdir(cwd)], before);
});

test("what is wanted of a copy of something that is no installation of its own is refused", async () => {
  await using folder = await temporaryFolder();
  const both = await runCommand(["keys", "drill", "--copy", "--backup", "b"], { cwd: folder.path });
  assert.deepEqual([both.code, /\[[a-z-]+\]/.exec(both.stderr)?.[0]], [2, "[usage]"]);
  const onServer = { STRONGROOM_STORE: "postgres://a@127.0.0.1/b" };
  const { code, stderr } = await runCommand(["keys", "drill", "--copy"], { cwd: folder.path, env: onServer });
  assert.deepEqual([code, /\[[a-z-]+\]/.exec(stderr)?.[0]], [2, "[usage]"], stderr);
});

const figures = phaseFigures([], { from: 0, to: 1000 });
const KEPT: KeyEvidence = {
  phases: { before: figures, rotation: figures },
  ...{ wasKilled: true, state: "done", failures: 0, verdict: "whole" },
  readBack: { versions: 10, problems: {} },
  keys: [{ key: "arn:a", region: "eu-west-1", items: 0, problem: null }],
};

/** What breaks which promise. */
const BREAKS: Readonly<Record<string, Partial<KeyEvidence>>> = {
  "reads-go-on": { phases: { before: figures, rotation: { ...figures, reads: 3, failedReads: 1 } } },
  "writes-go-on": { phases: { before: figures, rotation: { ...figures, writes: 3, refusedWrites: 1 } } },
  "run-ends": { state: "running" },
  "nothing-lost": { readBack: { versions: 10, problems: { "not-equal": 1 } } },
  "nothing-left": { keys: [{ key: "arn:a", region: "eu-west-1", items: 1, problem: null }] },
  "keys-retired": { keys: [{ key: "arn:a", region: "eu-west-1", items: 0, problem: "key-in-force" }] },
  "everything-opens": { verdict: "incomplete" },
};

test("each promise is broken by what breaks it, and by nothing else", () => {
  assert.ok(judgeKeys(KEPT).every(({ outcome }) => outcome === "kept"));
  for (const [promise, change] of Object.entries(BREAKS)) {
    const broken = judgeKeys({ ...KEPT, ...change }).filter(({ outcome }) => outcome === "broken");
    assert.deepEqual([broken.map((one) => one.promise), broken[0]?.problems.length], [[promise], 1]);
  }
});

test("a run that was over before it could be killed says nothing of one that is", () => {
  const untested = judgeKeys({ ...KEPT, wasKilled: false }).filter(({ outcome }) => outcome === "not-tested");
  assert.deepEqual(
    untested.map(({ promise }) => promise),
    ["run-ends"],
  );
});
