// With keys.fourEyes two administrators restore a backup, by tokens that the vault had, and the audit has who they were.
import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { sqliteAuditLog } from "@strongroom/vault/sqlite";
import { runCommand } from "../support/command.ts";
import { type Ended, startInstallation, temporaryFolder } from "../support/installation.ts";

describe("a restore that wants two administrators", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let env: Readonly<Record<string, string>>;
  const ids: Record<string, string> = {};
  const at = (name: string): string => join(folder.path, name);
  const run = (line: string, more: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    runCommand(line.split(" "), { cwd: folder.path, env: { ...env, ...more }, stdin: '{"name":"Ada"}' });
  const without = { STRONGROOM_FOUR_EYES: "false" };
  const restore = (tokens: string, from = "monday", more: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    run(`restore ${from} --data-dir new --root-key-file root.key --reason a.test ${tokens} --json`.replace("  ", " "), {
      ...more,
    });
  /** Of the newest restore in the log of the vault that was made. */
  const approvedBy = async (): Promise<unknown> => {
    const log = await sqliteAuditLog(at("new/audit.sqlite"));
    const [row] = await log.find({ action: "accept-restore" }, { order: "newest", after: null, limit: 1 });
    await log.close();
    const { details } = JSON.parse(Buffer.from(row!.text!).toString("utf8")) as {
      readonly details: Readonly<Record<string, unknown>>;
    };
    assert.equal(details["reason"], "a.test");
    return details["approvedBy"];
  };

  before(async () => {
    folder = await temporaryFolder();
    env = {
      XDG_STATE_HOME: at("state"),
      STRONGROOM_ATTEMPT_TIMEOUT_MS: "8000",
      STRONGROOM_DEADLINE_MS: "20000",
      STRONGROOM_FOUR_EYES: "true",
    };
    const installation = await startInstallation(folder.path, [], { env });
    assert.match((await run("backup early")).stderr, /no two tokens .* nobody can restore/);
    for (const [file, name, scope] of [
      ["ada", "ada", "admin"],
      ["bob", "bob", "admin"],
      ["ada-too", "ada", "admin"],
      ["reader", "reader", "read"],
    ] as const) {
      const made = await run(`token create ${name} --scope ${scope} --output ${file} --json`);
      ids[file] = (JSON.parse(made.stdout) as { readonly id: string }).id;
    }
    assert.equal((await run("put people ada")).code, 0);
    for (const [name, more] of [
      ["monday", {}],
      ["alone", without],
    ] as const) {
      const { code, stderr } = await run(`backup ${name}`, more);
      assert.equal(code, 0, stderr);
    }
    assert.equal(await installation.stop(), 0);
    cpSync(at("strongroom-data/kms/root.key"), at("root.key"));
    writeFileSync(at("unknown"), `srt_${"A".repeat(43)}\n`, { mode: 0o600 });
  });
  after(async () => {
    await folder[Symbol.asyncDispose]();
  });

  it("keeps by whom in the backup, without names and tokens; a drill needs none", async () => {
    const text = readFileSync(at("monday/approvers.json"), "utf8");
    assert.ok(text.includes(`token:${ids["ada"]}`) && !text.includes(String(ids["reader"])));
    assert.doesNotMatch(text, /"ada"|"bob"|srt_/);
    assert.ok(!existsSync(at("alone/approvers.json")));
    const { code, stderr } = await run("backup --drill monday");
    assert.equal(code, 0, stderr);
  });

  it("is refused with less than that, and nothing is there", async () => {
    for (const [tokens, code, exit] of [
      ["", "approval-missing", 6],
      ["--token-file ada", "approval-missing", 6],
      ["--token-file ada --second-token-file ada", "approval-own", 6],
      ["--token-file ada --second-token-file ada-too", "approval-own", 6],
      ["--token-file ada --second-token-file reader", "token-invalid", 6],
      ["--token-file unknown --second-token-file bob", "token-invalid", 6],
      ["--second-token-file bob", "token-missing", 6],
      ["--token-file ada --second-token-file nowhere", "input-unreadable", 2],
    ] as const) {
      const ended = await restore(tokens);
      assert.match(ended.stderr, new RegExp(`"code":"${code}"`), tokens);
      assert.equal(ended.code, exit, tokens);
    }
    const both = "--token-file ada --second-token-file bob";
    assert.match((await restore(both, "alone")).stderr, /"code":"approval-missing".*made without keys\.fourEyes/);
    assert.match((await restore(both, "alone", without)).stderr, /"code":"approval-missing"/);
    const own = "--token-file ada --second-token-file ada";
    assert.match((await restore(own, "monday", without)).stderr, /"code":"approval-own"/);
    cpSync(at("monday"), at("changed"), { recursive: true });
    writeFileSync(at("changed/approvers.json"), "[]\n");
    assert.match((await restore(both, "changed")).stderr, /"code":"backup-altered"/);
    assert.ok(!existsSync(at("new")));
  });

  it("is on record with both of them, and brings no token back", async () => {
    const ended = await restore("--token-file ada --second-token-file bob");
    assert.equal(ended.code, 0, ended.stderr);
    const two = [`token:${ids["ada"]}`, `token:${ids["bob"]}`];
    assert.deepEqual((JSON.parse(ended.stdout) as Readonly<Record<string, unknown>>)["approvedBy"], two);
    assert.equal(await approvedBy(), two.join(" "));
    for (const name of ["approvers.json", "tokens.json"]) assert.ok(!existsSync(at(`new/${name}`)), name);
    rmSync(at("new"), { recursive: true });
  });

  it("needs nobody else where it is not configured, and then names nobody", async () => {
    const ended = await restore("", "alone", without);
    assert.equal(ended.code, 0, ended.stderr);
    assert.ok(!("approvedBy" in (JSON.parse(ended.stdout) as object)));
    assert.equal(await approvedBy(), undefined);
  });
});
