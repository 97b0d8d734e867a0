import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createReadStream } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openAtomic, publishSync, systemErrorCode, writeFileAtomic } from "@strongroom/base/files";
import { openOutputFile, outputReason } from "@strongroom/base/output-file";
import { temporaryFolder } from "./support/temporary-folder.ts";

const never = new AbortController().signal;

/** Writes through it, as a command does. */
async function write(path: string, text: string, signal: AbortSignal = never): Promise<string> {
  const output = await openOutputFile(path, signal);
  try {
    await output.write(text);
    await output.commit();
  } catch (error) {
    await output.discard();
    throw error;
  }
  return output.kind;
}

/** Whether a path is what it was: the kind of its file and which one it is. */
function identity(path: string): string {
  const { dev, ino, mode } = lstatSync(path);
  return `${dev} ${ino} ${mode & 0o170000}`;
}

/** What a person may name -> it is made in a folder; the path is given. All of it is written into, never replaced. */
const NEVER_REPLACED: Readonly<Record<string, (folder: string) => string>> = {
  "a device": (folder) => {
    // A device of one's own, where one can be made: not the machine's.
    const path = join(folder, "null");
    try {
      execFileSync("mknod", [path, "c", "1", "3"], { stdio: "ignore" });
      return path;
    } catch {
      return "/dev/null";
    }
  },
  "the machine's /dev/null": () => "/dev/null",
  "a link to a device": (folder) => {
    symlinkSync("/dev/null", join(folder, "link"));
    return join(folder, "link");
  },
  "a link to a link to a device": (folder) => {
    symlinkSync("/dev/null", join(folder, "one"));
    symlinkSync("one", join(folder, "two"));
    return join(folder, "two");
  },
  "a descriptor of a device": () => `/proc/self/fd/${openSync("/dev/null", "w")}`,
  "a descriptor of a device, by its other name": () => `/dev/fd/${openSync("/dev/null", "w")}`,
};

describe("an output that is no file", () => {
  for (const [what, make] of Object.entries(NEVER_REPLACED))
    it(`is written into: ${what}`, async (t) => {
      const folder = temporaryFolder(t);
      const path = make(folder);
      const [before, names] = [identity(path), readdirSync(folder)];
      assert.equal(await write(path, "text"), "written-into");
      assert.equal(identity(path), before);
      assert.deepEqual(readdirSync(folder), names);
    });

  it("gets what is written: a pipe, whose reader comes later", async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    const writing = write(path, "x".repeat(300_000));
    let read = "";
    for await (const chunk of createReadStream(path, "utf8")) read += String(chunk);
    assert.equal(await writing, "written-into");
    assert.equal(read.length, 300_000);
    assert.ok(lstatSync(path).isFIFO());
  });

  it("is not waited for after the caller gave up: a pipe without a reader", async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    const ending = new AbortController();
    setTimeout(() => {
      ending.abort();
    }, 100);
    await assert.rejects(write(path, "x", ending.signal), { name: "AbortError" });
    assert.ok(lstatSync(path).isFIFO());
  });

  it("is written behind what is there: a file that the shell has opened", async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, "out.txt");
    writeFileSync(path, "first\n", { mode: 0o644 });
    const before = identity(path);
    for (const name of [`/proc/self/fd/${openSync(path, "a")}`, `/dev/fd/${openSync(path, "a")}`])
      assert.equal(await write(name, "next\n"), "written-into");
    assert.equal(readFileSync(path, "utf8"), "first\nnext\nnext\n");
    assert.equal(identity(path), before);
  });

  it("is refused and left: a socket, a folder, a link that leads in a circle", async (t) => {
    const folder = temporaryFolder(t);
    const socket = join(folder, "socket");
    const server = createServer().listen(socket);
    await once(server, "listening");
    mkdirSync(join(folder, "folder"));
    symlinkSync("circle", join(folder, "circle"));
    symlinkSync("folder", join(folder, "to-folder"));
    const reasons = { socket: /socket/, folder: /a folder/, "to-folder": /a folder/, circle: /leads nowhere/ };
    for (const [name, reason] of Object.entries(reasons)) {
      const path = join(folder, name);
      const before = identity(path);
      const error: unknown = await write(path, "x").then(
        () => null,
        (cause: unknown) => cause,
      );
      assert.match(outputReason(error), reason, name);
      assert.equal(identity(path), before, name);
    }
    server.close();
  });

  it("is not made where only the system makes things", async () => {
    await assert.rejects(write("/dev/strongroom-no-such-device", "x"), { code: "ENOENT" });
  });
});

describe("an output that is a file", () => {
  it("is replaced whole, for its owner alone, whatever mode it had; a link to one is replaced itself", async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, "file");
    writeFileSync(file, "old");
    chmodSync(file, 0o666);
    symlinkSync("file", join(folder, "link"));
    assert.equal(await write(join(folder, "link"), "new"), "replaced");
    assert.equal(readFileSync(file, "utf8"), "old");
    assert.ok(lstatSync(join(folder, "link")).isFile());
    assert.equal(await write(file, "new"), "replaced");
    assert.equal(await write(join(folder, "fresh"), "new"), "replaced");
    for (const name of ["file", "link", "fresh"]) {
      assert.equal(readFileSync(join(folder, name), "utf8"), "new");
      assert.equal(lstatSync(join(folder, name)).mode & 0o777, 0o600);
    }
    assert.deepEqual(readdirSync(folder).sort(), ["file", "fresh", "link"]);
  });

  it("stays as it was when it is given up", async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, "file");
    writeFileSync(file, "old");
    const output = await openOutputFile(file, never);
    await output.write("new");
    await output.discard();
    assert.equal(readFileSync(file, "utf8"), "old");
    assert.deepEqual(readdirSync(folder), ["file"]);
  });
});

describe("whoever replaces a file", () => {
  it("never replaces what is none: not at the beginning, and not when it came there meanwhile", async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, "pipe");
    const pending = await openAtomic(path);
    await pending.write("x");
    execFileSync("mkfifo", [path]);
    await assert.rejects(pending.commit(), { code: "EEXIST" });
    await pending.discard();
    writeFileSync(join(folder, "draft"), "x");
    for (const replace of [
      async () => writeFileAtomic(path, "x"),
      async () => {
        publishSync(join(folder, "draft"), path, "replace");
      },
      async () => openAtomic(path),
    ])
      await assert.rejects(replace, (error) => systemErrorCode(error) === "EEXIST");
    assert.ok(lstatSync(path).isFIFO());
    assert.throws(() => readlinkSync(path));
    await assert.rejects(writeFileAtomic(folder, "x"), { code: "EISDIR" });
  });
});
