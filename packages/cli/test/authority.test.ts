import assert from "node:assert/strict";
import { chmod, chown, link, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { loadConfig } from "../src/config/load.ts";
import { findConnection } from "../src/connection.ts";
import { type DataFolder, dataFolder, openLogFile, prepareDataFolder, readRunning } from "../src/data-folder.ts";
import { controlHeader } from "../src/drill/control-port.ts";
import { CliError } from "../src/errors.ts";
import { kmsClient } from "../src/installation/keyring.ts";
import { readRegionKeys } from "../src/installation/installed-keys.ts";
import { ensureFirstToken, openTokens } from "../src/installation/tokens.ts";
import { temporaryFolder } from "./support/installation.ts";

const OTHER = 65_534;
const IS_ROOT = process.geteuid?.() === 0;

const CONTENT: Readonly<Record<string, string>> = {
  token: "srt_token\n",
  tokenHeader: "Authorization: Bearer srt_token\n",
  tokens: '{"version":1,"tokens":[]}',
  keys: '{"format":1,"keys":{}}',
  running: '{"url":"http://127.0.0.1:1","kms":{},"faultsEndpoint":null}',
  kmsCredentials: '{"accessKeyId":"AKIAAAAAAAAAAAAAAAAA","secretAccessKey":"0123456789012345"}',
  kmsControlHeader: "Authorization: Bearer abc\n",
};

/** A data folder with every file of the layout in it. */
async function made(path: string): Promise<DataFolder> {
  const folder = dataFolder(join(path, "data"));
  await mkdir(folder.kms, { recursive: true, mode: 0o700 });
  await chmod(folder.path, 0o700);
  for (const [name, file] of Object.entries(folder))
    if (name !== "path" && name !== "kms") await writeFile(file, CONTENT[name] ?? "", { mode: 0o600 });
  return folder;
}

async function connect(folder: DataFolder, env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const all = { STRONGROOM_DATA_DIR: folder.path, ...env };
  return findConnection(await loadConfig({ cwd: dirname(folder.path), env: all }), all);
}

/** Who reads a file of authority: its name in the layout -> the reading. */
const READERS: Readonly<Record<string, readonly [file: keyof DataFolder, read: (folder: DataFolder) => unknown]>> = {
  "the token, by a client command": ["token", connect],
  "the token, by the service": ["token", async (folder) => ensureFirstToken(folder, await openTokens(folder))],
  "a token file that is named": ["token", (folder) => connect(folder, { STRONGROOM_TOKEN_FILE: folder.token })],
  "where the service is, by a client command": ["running", connect],
  "where the service is, by the drill": ["running", (folder) => readRunning(folder.running)],
  "the tokens, by service and token commands": [
    "tokens",
    (folder) => openTokens(folder).then((tokens) => tokens.list()),
  ],
  "the keys": ["keys", (folder) => readRegionKeys(folder.keys)],
  "the credentials of a region": [
    "kmsCredentials",
    (folder) => kmsClient({ region: "eu-west-1", credentialsFile: folder.kmsCredentials }),
  ],
  "the header of the control port": ["kmsControlHeader", (folder) => controlHeader(folder.kmsControlHeader)],
};
const SECRET: ReadonlySet<string> = new Set(["token", "tokenHeader", "kmsCredentials", "kmsControlHeader"]);

async function refusal(read: () => unknown): Promise<CliError | null> {
  try {
    await read();
    return null;
  } catch (error) {
    assert.ok(error instanceof CliError, String(error));
    return error;
  }
}

describe("a file that holds authority is refused when others may change it", () => {
  for (const [what, [name, read]] of Object.entries(READERS))
    it(what, async () => {
      await using temporary = await temporaryFolder();
      const folder = await made(temporary.path);
      const file = folder[name];
      assert.equal(await refusal(() => read(folder)), null);
      for (const mode of [0o620, 0o602, 0o666, 0o722]) {
        await chmod(file, mode);
        const error = await refusal(() => read(folder));
        assert.match(error?.detail ?? "", /lets others change it/, mode.toString(8));
        assert.match(`${error?.detail ?? ""}${error?.remedy ?? ""}`, /chmod go-w/);
      }
      // No folder that is open to others above it: others may read what is no secret.
      await chmod(folder.path, 0o755);
      await chmod(folder.kms, 0o755);
      await chmod(temporary.path, 0o755);
      await chmod(file, 0o644);
      assert.equal((await refusal(() => read(folder))) !== null, SECRET.has(name), "others may read it");
      await chmod(file, 0o600);
      await chmod(dirname(file), 0o777);
      assert.match((await refusal(() => read(folder)))?.detail ?? "", /put another in its place/);
      await chmod(dirname(file), 0o700);
      if (IS_ROOT) {
        await chown(file, OTHER, OTHER);
        assert.match((await refusal(() => read(folder)))?.detail ?? "", /belongs to another user/);
        await chown(file, 0, 0);
      }
      assert.equal(await refusal(() => read(folder)), null);
    });
});

describe("the data folder at a start", () => {
  const names = Object.keys(dataFolder("/x")).filter((name) => name !== "path") as (keyof DataFolder)[];

  for (const name of names)
    it(`is refused when others may change ${name}, when it is another's, and when it is a link`, async () => {
      await using temporary = await temporaryFolder();
      const folder = await made(temporary.path);
      const file = folder[name];
      assert.equal(await refusal(() => prepareDataFolder(folder.path)), null);
      for (const mode of [0o720, 0o702, 0o777]) {
        await chmod(file, mode);
        assert.equal((await refusal(() => prepareDataFolder(folder.path)))?.code, "file-permissions");
      }
      await chmod(file, 0o700);
      if (IS_ROOT) {
        await chown(file, OTHER, OTHER);
        assert.match((await refusal(() => prepareDataFolder(folder.path)))?.detail ?? "", /another user/);
        await chown(file, 0, 0);
      }
      await rename(file, join(temporary.path, "elsewhere"));
      if (name === "kms") {
        // On a disk of its own: the folder that the link leads to is held to the same.
        await symlink(join(temporary.path, "elsewhere"), file);
        assert.equal(await refusal(() => prepareDataFolder(folder.path)), null);
        await chmod(folder.kmsDatabase, 0o666);
        assert.match((await refusal(() => prepareDataFolder(folder.path)))?.detail ?? "", /kms\.sqlite: its mode 666/);
        await rm(file);
        await rm(join(temporary.path, "elsewhere"), { recursive: true });
        await writeFile(join(temporary.path, "elsewhere"), "");
      }
      for (const target of [join(temporary.path, "elsewhere"), join(temporary.path, "nothing")]) {
        await symlink(target, file);
        assert.match((await refusal(() => prepareDataFolder(folder.path)))?.detail ?? "", /is a link/);
        await rm(file);
      }
    });

  it("is refused in a folder where others may exchange it", async () => {
    await using temporary = await temporaryFolder();
    const folder = await made(temporary.path);
    await chmod(temporary.path, 0o777);
    assert.match((await refusal(() => prepareDataFolder(folder.path)))?.detail ?? "", /put another in its place/);
    await chmod(temporary.path, 0o1777);
    assert.equal(await refusal(() => prepareDataFolder(folder.path)), null);
  });
});

describe("the log", () => {
  it("is written into no other file: through a link, a hard link, a pipe, a device", async () => {
    await using temporary = await temporaryFolder();
    const [log, victim] = [join(temporary.path, "strongroom.log"), join(temporary.path, "victim")];
    await writeFile(victim, "mine");
    for (const plant of [
      () => symlink(victim, log),
      () => symlink(join(temporary.path, "not-there-yet"), log),
      () => symlink("/dev/null", log),
      () => link(victim, log),
      () => mkdir(log),
    ]) {
      await plant();
      const error = await refusal(() => openLogFile(log));
      assert.equal(error?.code, "data-dir-unusable");
      await rm(log, { recursive: true });
    }
    assert.equal(await readFile(victim, "utf8"), "mine");
    await openLogFile(log).close();
    await openLogFile(log).close();
  });

  it("that has grown is put aside as it is, a link too, and nothing is written through it", async () => {
    await using temporary = await temporaryFolder();
    const log = join(temporary.path, "strongroom.log");
    await writeFile(log, "x".repeat(21 * 1024 * 1024));
    await writeFile(join(temporary.path, "victim"), "mine");
    await symlink("victim", `${log}.1`);
    await openLogFile(log).close();
    assert.equal(await readFile(join(temporary.path, "victim"), "utf8"), "mine");
    assert.equal((await readFile(log)).length, 0);
  });
});

describe("where the service is, in a data folder", () => {
  it("is believed for this machine alone", async () => {
    await using temporary = await temporaryFolder();
    const folder = await made(temporary.path);
    const running = (url: string): Promise<void> => writeFile(folder.running, JSON.stringify({ url, kms: {} }));
    for (const url of ["http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9"]) {
      await running(url);
      assert.equal(readRunning(folder.running)?.url, url);
    }
    for (const url of ["https://vault.example", "http://127.0.0.1.evil.example:9", "http://192.0.2.1:9", "file:///x"]) {
      await running(url);
      assert.equal(readRunning(folder.running), null, url);
    }
  });
});
