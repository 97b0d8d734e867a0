import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  createEmptyFileSync,
  createFileSync,
  folderReason,
  isAbsent,
  makeFolderSync,
  openAtomic,
  publishSync,
  readIfPresent,
  systemErrorCode,
  systemReason,
  writeFileAtomic,
} from "@strongroom/base/files";
import { runScript } from "./support/child.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const mode = (path: string): number => statSync(path).mode & 0o777;

describe("a file that is replaced", () => {
  it("is there whole, for its owner alone, once it is committed, and not before", async (t) => {
    const path = join(temporaryFolder(t), "a");
    writeFileSync(path, "old");
    const file = await openAtomic(path);
    await file.write("new ");
    assert.equal(readFileSync(path, "utf8"), "old");
    await file.write(Buffer.from("content"));
    await file.commit();
    assert.equal(readFileSync(path, "utf8"), "new content");
    assert.equal(mode(path), 0o600);
  });

  it("leaves nothing behind when it is discarded", async (t) => {
    const folder = temporaryFolder(t);
    const file = await openAtomic(join(folder, "b"));
    await file.write("x");
    await file.discard();
    assert.deepEqual(readdirSync(folder), []);
  });

  it("says that a folder is missing", async (t) => {
    await assert.rejects(writeFileAtomic(join(temporaryFolder(t), "none", "c"), "x"), { code: "ENOENT" });
  });

  it("leaves nothing behind when its name is taken by a folder", async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, "d", "full"), { recursive: true });
    await assert.rejects(writeFileAtomic(join(folder, "d"), "x"));
    assert.deepEqual(readdirSync(folder), ["d"]);
  });

  it("is private while it is written, in the same folder under a hidden name", async (t) => {
    const folder = temporaryFolder(t);
    const file = await openAtomic(join(folder, "e"));
    const [draft = ""] = readdirSync(folder);
    assert.match(draft, /^\.e\.[0-9a-f]{12}\.part$/);
    assert.equal(mode(join(folder, draft)), 0o600);
    await file.discard();
  });

  it("takes the place of a link and is not written through it", async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, "elsewhere"), "kept");
    symlinkSync("elsewhere", join(folder, "link"));
    await writeFileAtomic(join(folder, "link"), "new");
    assert.equal(readFileSync(join(folder, "elsewhere"), "utf8"), "kept");
    assert.throws(() => readlinkSync(join(folder, "link")));
  });

  it("is the old one when the process is killed before the new one has its name", async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, "f");
    writeFileSync(path, "old");
    const script = `
      import { openAtomic } from "@strongroom/base/files";
      const file = await openAtomic(process.argv[1]);
      await file.write("new");
      console.log("written");
      setInterval(() => {}, 1000);`;
    const writer = runScript(t, script, path);
    await writer.said();
    await writer.kill();
    assert.equal(readFileSync(path, "utf8"), "old");
    await writeFileAtomic(path, "newer");
    assert.equal(readFileSync(path, "utf8"), "newer", "what the killed one left is in nobody's way");
  });
});

describe("a file that is made", () => {
  it("has all of its content and is for its owner alone", (t) => {
    const folder = temporaryFolder(t);
    createFileSync(join(folder, "a"), "content");
    assert.equal(readFileSync(join(folder, "a"), "utf8"), "content");
    assert.equal(mode(join(folder, "a")), 0o600);
    createEmptyFileSync(join(folder, "b"));
    assert.equal(mode(join(folder, "b")), 0o600);
    assert.deepEqual(readdirSync(folder), ["a", "b"], "no draft is left");
  });

  it("never replaces what is there, a link to nothing included", (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, "a"), "first");
    symlinkSync("nothing", join(folder, "link"));
    for (const name of ["a", "link"]) {
      assert.throws(() => {
        createFileSync(join(folder, name), "second");
      }, /EEXIST/);
      assert.throws(() => {
        createEmptyFileSync(join(folder, name));
      }, /EEXIST/);
    }
    assert.equal(readFileSync(join(folder, "a"), "utf8"), "first");
    assert.deepEqual(readdirSync(folder), ["a", "link"]);
  });

  it("takes a finished draft's content, replacing what is there only when asked to", (t) => {
    const folder = temporaryFolder(t);
    const [draft, path] = [join(folder, "draft"), join(folder, "a")];
    writeFileSync(draft, "first");
    publishSync(draft, path, "create");
    assert.deepEqual(readdirSync(folder), ["a", "draft"]);
    assert.throws(() => {
      publishSync(draft, path, "create");
    }, /EEXIST/);
    writeFileSync(join(folder, "second"), "second");
    publishSync(join(folder, "second"), path, "replace");
    assert.equal(readFileSync(path, "utf8"), "second");
    assert.deepEqual(readdirSync(folder), ["a", "draft"]);
  });
});

describe("a file that is read", () => {
  it("is null where there is none, and an error where it cannot be read", async (t) => {
    const folder = temporaryFolder(t);
    assert.equal(await readIfPresent(join(folder, "none")), null);
    writeFileSync(join(folder, "a"), "text");
    assert.equal(await readIfPresent(join(folder, "a")), "text");
    await assert.rejects(readIfPresent(folder), (error) => !isAbsent(error));
  });
});

describe("a folder", () => {
  it("is made for its owner alone, with those above it, and left as it is when it is there", (t) => {
    const outer = join(temporaryFolder(t), "outer");
    makeFolderSync(join(outer, "inner"));
    assert.deepEqual([mode(outer), mode(join(outer, "inner"))], [0o700, 0o700]);
    chmodSync(outer, 0o755);
    makeFolderSync(outer);
    assert.equal(mode(outer), 0o755);
  });

  it("says why it cannot be made", (t) => {
    const file = join(temporaryFolder(t), "file");
    writeFileSync(file, "");
    const reasonOf = (path: string): string => {
      try {
        makeFolderSync(path);
        return "made";
      } catch (error) {
        return folderReason(error);
      }
    };
    assert.equal(reasonOf(file), "there is a file of that name");
    assert.equal(reasonOf(join(file, "inner")), "a part of the path is not a folder");
    if (existsSync("/proc/self")) assert.equal(reasonOf("/proc/none/inner"), reasonOf("/proc/none"));
  });
});

describe("what is told of a system error", () => {
  const error = (code: unknown): Error => Object.assign(new Error("of the system"), { code });

  it("is the words of the case, those that always hold, or the system's code", () => {
    assert.equal(systemReason(error("ENOSPC")), "the disk is full");
    assert.equal(systemReason(error("ENOENT"), { ENOENT: "there is no such host name" }), "there is no such host name");
    assert.equal(systemReason(error("EMFILE")), "the system says EMFILE");
  });

  it("is never another error's message", () => {
    for (const other of [new Error("secret"), error(5), "ENOENT", null]) {
      assert.equal(systemErrorCode(other), null);
      assert.equal(systemReason(other), "the reason is not known");
    }
  });
});
