// What the doctor says of stores that are of another time than the rest of the vault: which, and what to do. It changes
// nothing of them.
import assert from "node:assert/strict";
import { copyFile, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setBackFindings } from "../../src/doctor/set-back.ts";
import { runCommand } from "../support/command.ts";
import { type Ended, runProcess, startInstallation, temporaryFolder } from "../support/installation.ts";

const FILES = ["records.sqlite", "keys.sqlite", "audit.sqlite"].flatMap((name) => [name, `${name}.mark`]);

test("a store that was set back is named, with what to do, and nothing is changed", async (t) => {
  await using folder = await temporaryFolder();
  const { path: cwd } = folder;
  const first = await startInstallation(cwd);
  t.after(() => first.stop());
  const { dataDir } = first.ready;
  const put = async (id: string): Promise<void> => {
    assert.equal((await runCommand(["put", "people", id], { cwd, stdin: "{}" })).code, 0);
  };
  const copy = async (names: readonly string[], from: string, to: string): Promise<void> => {
    for (const name of names) await copyFile(join(dataDir, `${name}${from}`), join(dataDir, `${name}${to}`));
  };
  const doctor = async (): Promise<readonly string[]> => {
    const { stdout } = await runCommand(["doctor", "--json"], { cwd });
    const { findings } = JSON.parse(stdout) as { readonly findings: readonly Record<string, string>[] };
    return findings
      .filter(({ what }) => what === "Set back" || what === "Witness")
      .map(({ what, severity, detail, remedy = "" }) => `${what} ${severity}: ${detail} ${remedy}`);
  };

  await put("ada");
  assert.match((await doctor()).join("\n"), /^Set back ok: no: /, "beside a service that runs");
  assert.equal(await first.stop(), 0);
  await copy(FILES, "", ".older");
  const second = await startInstallation(cwd);
  t.after(() => second.stop());
  // Nobody new: a person whom the key store does not know is told of before.
  await put("ada");
  assert.equal(await second.stop(), 0);
  await copy(FILES, "", ".newest");

  const NAMED = {
    "records.sqlite": "the store of the records",
    "keys.sqlite": "the key store",
    "audit.sqlite": "the log of the audit",
  };
  for (const [name, called] of Object.entries(NAMED)) {
    const files = [name, `${name}.mark`];
    await copy(files, ".older", "");
    const before = await readFile(join(dataDir, name));
    const said = (await doctor()).join("\n");
    assert.match(said, new RegExp(`Set back failure: ${called}: .*\\[store-rolled-back\\].*--accept-restore REASON`));
    assert.deepEqual(await readFile(join(dataDir, name)), before);
    const started: Ended = await runProcess(["up", "--json", "--port", "0"], cwd);
    assert.match(started.stderr, /store-rolled-back/, "as the start says");
    await copy(files, ".newest", "");
  }

  // All three together agree with each other: only the witness knows better.
  await copy(FILES, ".older", "");
  const together = await doctor();
  assert.match(together[0] ?? "", /^Set back ok/);
  assert.match(together[1] ?? "", /^Witness failure: .*it was set back \[store-rolled-back\]/);
  const witnesses = join(cwd, "state", "strongroom", "witness");
  for (const file of await readdir(witnesses)) await rm(join(witnesses, file));
  assert.match((await doctor())[1] ?? "", /^Witness warning: .*no witness tells of stores that are set back together/);
});

test("each of several is said by itself", () => {
  const found = (["records", "keys"] as const).map((store) => ({ store, message: "older" }));
  assert.deepEqual(
    setBackFindings(found).map(({ severity }) => severity),
    ["failure", "failure"],
  );
});
