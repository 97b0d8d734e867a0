import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { takeLock } from "@strongroom/base/locks";
import { fileTokens, ServerError } from "@strongroom/server";
import { hasScope, hashToken, newToken, SCOPES } from "../../src/tokens/token.ts";
import { defer } from "../../../../tests/support/defer.ts";

async function tokensPath(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-tokens-"));
  defer(t, () => rm(folder, { recursive: true, force: true }));
  return join(folder, "tokens.json");
}

/** What is in the folder when nobody writes. The lock's file stays: nobody holds it. */
const FILES = ["tokens.json", "tokens.json.lock"];

const code = (expected: string) => (error: unknown) => error instanceof ServerError && error.code === expected;

test("a token is shown once; the file holds its hash, and nobody but its owner reads the file", async (t) => {
  const path = await tokensPath(t);
  const tokens = await fileTokens(path);
  const { token, identity } = await tokens.create({ name: "laptop", scopes: ["read", "write", "read"] });
  assert.match(token, /^srt_[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(identity, { id: identity.id, name: "laptop", scopes: ["read", "write"] });
  const text = await readFile(path, "utf8");
  assert.ok(!text.includes(token) && !text.includes(token.slice(4)));
  assert.ok(text.includes(hashToken(token)));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await tokens.verify(token), identity);
  const [listed] = await tokens.list();
  assert.deepEqual({ ...listed, createdAt: "" }, { ...identity, createdAt: "" });
  assert.deepEqual(await readdir(join(path, "..")), FILES, "no temporary file is left");
});

test("what is not exactly a token that was made is refused", async (t) => {
  const tokens = await fileTokens(await tokensPath(t));
  assert.equal(await tokens.verify(newToken()), null);
  const { token } = await tokens.create({ name: "a", scopes: ["read"] });
  for (const wrong of [
    "",
    "srt_",
    token.slice(0, -1),
    `${token}A`,
    token.toUpperCase(),
    ` ${token}`,
    `${token}\n`,
    newToken(),
    "x".repeat(100_000),
    hashToken(token),
  ]) {
    assert.equal(await tokens.verify(wrong), null);
  }
});

test("tokens are random: no two are alike", () => {
  assert.equal(new Set(Array.from({ length: 1000 }, newToken)).size, 1000);
});

test("a revoked token is refused at once; revoking it again says that it is not there", async (t) => {
  const tokens = await fileTokens(await tokensPath(t));
  const kept = await tokens.create({ name: "kept", scopes: ["read"] });
  const { token, identity } = await tokens.create({ name: "gone", scopes: ["admin"] });
  assert.equal((await tokens.revoke(identity.id)).name, "gone");
  assert.equal(await tokens.verify(token), null);
  assert.deepEqual(await tokens.verify(kept.token), kept.identity);
  await assert.rejects(tokens.revoke(identity.id), code("token-absent"));
});

test("a token made or revoked by another process is seen without a restart", async (t) => {
  const path = await tokensPath(t);
  const service = await fileTokens(path);
  const command = await fileTokens(path);
  assert.equal(await service.verify(newToken()), null);
  const { token, identity } = await command.create({ name: "later", scopes: ["read"] });
  while ((await service.verify(token)) === null) await new Promise((resolve) => setTimeout(resolve, 20));
  await command.revoke(identity.id);
  while ((await service.verify(token)) !== null) await new Promise((resolve) => setTimeout(resolve, 20));
});

test("many makers at the same time, also in other processes, lose no token", async (t) => {
  const path = await tokensPath(t);
  const script = `import { fileTokens } from "@strongroom/server"; const t = await fileTokens(process.argv[1]); for (let n = 0; n < 5; n++) await t.create({ name: "p", scopes: ["read"] });`;
  const here = Promise.all(
    Array.from({ length: 5 }, async () => (await fileTokens(path)).create({ name: "h", scopes: ["read"] })),
  );
  const there = [1, 2].map(() =>
    promisify(execFile)(
      process.execPath,
      ["--conditions=@strongroom/source", "--input-type=module", "-e", script, path],
      { cwd: import.meta.dirname },
    ),
  );
  await Promise.all([here, ...there]);
  assert.equal((await (await fileTokens(path)).list()).length, 15);
});

test("a lock left by a process that died is taken over", async (t) => {
  const path = await tokensPath(t);
  await writeFile(`${path}.lock`, "");
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(`${path}.lock`, longAgo, longAgo);
  const tokens = await fileTokens(path);
  await tokens.create({ name: "a", scopes: ["read"] });
  assert.deepEqual(await readdir(join(path, "..")), FILES);
});

test("a lock that another holds is waited for, and no longer than is bearable", async (t) => {
  const path = await tokensPath(t);
  const tokens = await fileTokens(path);
  const lock = takeLock(`${path}.lock`);
  const waiting = tokens.create({ name: "a", scopes: ["read"] });
  await delay(100);
  assert.equal((await tokens.list()).length, 0);
  lock.release();
  await waiting;
  assert.equal((await tokens.list()).length, 1);
  const held = takeLock(`${path}.lock`);
  defer(t, async () => {
    held.release();
  });
  await assert.rejects(tokens.create({ name: "b", scopes: ["read"] }), code("tokens-unreadable"));
  assert.equal((await tokens.list()).length, 1);
});

test("a file that is not valid is refused at the start; when it becomes so later every token is refused until it is right again", async (t) => {
  const path = await tokensPath(t);
  const tokens = await fileTokens(path);
  const { token, identity } = await tokens.create({ name: "a", scopes: ["read"] });
  const good = await readFile(path, "utf8");
  for (const bad of [
    "",
    "{",
    "[]",
    '{"version":2,"tokens":[]}',
    good.replace('"read"', '"root"'),
    good.replace(/"hash": "[0-9a-f]+/, '"hash": "00'),
    good.replace('"name"', '"nome"'),
  ]) {
    await writeFile(path, bad);
    await assert.rejects(fileTokens(path), code("tokens-unreadable"));
  }
  await assert.rejects(tokens.list(), code("tokens-unreadable"));
  let refused = false;
  while (!refused) refused = await tokens.verify(token).then(() => false, code("tokens-unreadable"));
  await writeFile(path, good);
  assert.deepEqual(await tokens.verify(token), identity);
});

test("a file that cannot be read is an error, not an empty list", async (t) => {
  const path = await tokensPath(t);
  await mkdir(path);
  await assert.rejects(fileTokens(path), code("tokens-unreadable"));
});

test("a token needs a scope, and admin includes the others", async (t) => {
  const tokens = await fileTokens(await tokensPath(t));
  await assert.rejects(tokens.create({ name: "a", scopes: [] }), code("option-invalid"));
  await assert.rejects(tokens.create({ name: "a", scopes: ["root" as never] }), code("option-invalid"));
  const may = (scope: (typeof SCOPES)[number]): string =>
    SCOPES.filter((wanted) => hasScope({ id: "", name: "", scopes: [scope] }, wanted)).join(" ");
  assert.deepEqual(SCOPES.map(may), ["read", "write", "audit", "read write audit admin"]);
});

test("a look at the file that began before a token was revoked does not let it in again", async (t) => {
  if (process.platform === "win32") return;
  const path = await tokensPath(t);
  const tokens = await fileTokens(path);
  const { token, identity } = await tokens.create({ name: "a", scopes: ["read"] });
  const before = await readFile(path);
  // A file that is read for as long as its writer likes.
  await rm(path);
  await promisify(execFile)("mkfifo", [path]);
  const writer = await open(path, "r+");
  const slow = tokens.list();
  await delay(100);
  const without = `${path}.new`;
  await writeFile(without, JSON.stringify({ version: 1, tokens: [] }));
  await rename(without, path);
  assert.deepEqual(await tokens.list(), []);
  await writer.write(before);
  await writer.close();
  await slow;
  assert.equal(await tokens.verify(token), null, `revoked: ${identity.id}`);
});

test("whoever is told a token's scopes cannot add to them", async (t) => {
  const tokens = await fileTokens(await tokensPath(t));
  const { token, identity } = await tokens.create({ name: "a", scopes: ["read"] });
  const shown = [identity, await tokens.verify(token), (await tokens.list())[0]];
  for (const one of shown) {
    (one?.scopes as string[]).push("admin");
    assert.deepEqual((await tokens.verify(token))?.scopes, ["read"]);
  }
});
