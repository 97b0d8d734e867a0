import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { requireOwnFolder, requireUnchangeable } from "@strongroom/base/authority";
import { isFilePermissions } from "@strongroom/base/secret-file";
import { temporaryFolder } from "./support/temporary-folder.ts";

/** Somebody else; only root can give files away. */
const OTHER = 65_534;
const IS_ROOT = process.geteuid?.() === 0;
const OWNERS = IS_ROOT ? (["ours", "another's"] as const) : (["ours"] as const);
const MODES = [0o400, 0o600, 0o644, 0o640, 0o660, 0o620, 0o602, 0o666, 0o606, 0o777];
const FOLDER_MODES = [0o700, 0o755, 0o750, 0o775, 0o757, 0o777, 0o1777, 0o2775];

/** Ways to name a file in `folder`. */
const NAMINGS: Readonly<Record<string, (folder: string, outside: string) => string>> = {
  "its own name": (folder) => join(folder, "file"),
  "a link": (folder, outside) => {
    symlinkSync(join(folder, "file"), join(outside, "link"));
    return join(outside, "link");
  },
  "a link to a link": (folder, outside) => {
    symlinkSync(join(folder, "file"), join(outside, "one"));
    symlinkSync("one", join(outside, "two"));
    return join(outside, "two");
  },
  "a folder that is a link": (folder, outside) => {
    symlinkSync(folder, join(outside, "folder-link"));
    return join(outside, "folder-link", "file");
  },
};

function isTaken(path: string, ownership: "ours" | "anyone" = "ours"): boolean {
  try {
    requireUnchangeable(path, ownership);
    return true;
  } catch (error) {
    assert.ok(isFilePermissions(error), String(error));
    assert.ok(error.remedy !== null && error.reason !== "");
    return false;
  }
}

function place(t: TestContext): { readonly outside: string; readonly folder: string } {
  const outside = temporaryFolder(t);
  const folder = join(outside, "folder");
  mkdirSync(folder);
  writeFileSync(join(folder, "file"), "x");
  return { outside, folder };
}

describe("a file that holds authority", () => {
  for (const [naming, name] of Object.entries(NAMINGS))
    for (const owner of OWNERS)
      it(`named by ${naming}, ${owner}: every mode of the file and of its folder`, (t) => {
        const { outside, folder } = place(t);
        const path = name(folder, outside);
        if (owner === "another's") chownSync(join(folder, "file"), OTHER, OTHER);
        for (const folderMode of FOLDER_MODES)
          for (const mode of MODES) {
            chmodSync(folder, folderMode);
            chmodSync(join(folder, "file"), mode);
            const isPrivate = (folderMode & 0o1000) !== 0 || (folderMode & (IS_ROOT ? 0o022 : 0o002)) === 0;
            const isUnchangeable = (mode & 0o022) === 0 && isPrivate;
            const which = `${mode.toString(8)} in ${folderMode.toString(8)}`;
            assert.equal(isTaken(path), isUnchangeable && owner === "ours", which);
            assert.equal(isTaken(path, "anyone"), isUnchangeable, `${which}, named by who vouches for it`);
          }
      });

  it("is refused where others may turn a folder on the way elsewhere, which is a link", (t) => {
    const { outside, folder } = place(t);
    const links = join(outside, "links");
    mkdirSync(links);
    symlinkSync(folder, join(links, "absolute"));
    symlinkSync("../folder", join(links, "relative"));
    symlinkSync(join(links, "relative"), join(outside, "link"));
    for (const path of [join(links, "absolute"), join(links, "relative"), join(outside, "link")]) {
      chmodSync(links, 0o755);
      assert.equal(isTaken(join(path, "file")), true, path);
      assert.equal(isTaken(join(path, "none")), true, path);
      chmodSync(links, 0o777);
      assert.equal(isTaken(join(path, "file")), false, path);
      assert.equal(isTaken(join(path, "file"), "anyone"), false, path);
      assert.equal(isTaken(join(path, "none")), false, path);
      chmodSync(links, 0o1777);
      assert.equal(isTaken(join(path, "file")), true, path);
    }
    if (!IS_ROOT) return;
    lchownSync(join(links, "absolute"), OTHER, OTHER);
    assert.equal(isTaken(join(links, "absolute", "file")), false, "another's link in a sticky folder");
    assert.equal(isTaken(join(folder, "file")), true);
  });

  it("is refused for a folder further up, and for that of a link on the way", (t) => {
    const { outside, folder } = place(t);
    mkdirSync(join(outside, "links"));
    symlinkSync(join(folder, "file"), join(outside, "links", "link"));
    assert.equal(isTaken(join(outside, "links", "link")), true);
    chmodSync(join(outside, "links"), 0o777);
    assert.equal(isTaken(join(outside, "links", "link")), false);
    assert.equal(isTaken(join(folder, "file")), true);
    chmodSync(outside, 0o777);
    assert.equal(isTaken(join(folder, "file")), false);
    assert.throws(
      () => {
        requireUnchangeable(join(folder, "file"));
      },
      {
        reason: `others may put another in its place: the mode of ${outside} is 777`,
        remedy: `Close the folder: chmod go-w ${outside}`,
      },
    );
  });

  it("that is not there is refused where others may put one, and no harm elsewhere", (t) => {
    const { outside, folder } = place(t);
    assert.equal(isTaken(join(folder, "absent")), true);
    chmodSync(folder, 0o777);
    assert.equal(isTaken(join(folder, "absent")), false);
    symlinkSync("circle", join(outside, "circle"));
    assert.throws(
      () => {
        requireUnchangeable(join(outside, "circle"));
      },
      { code: "ELOOP" },
    );
  });
});

describe("a folder of ours", () => {
  const names = new Set(["log", join("kms", "key")]);
  const isOwn = (folder: string): boolean => {
    try {
      requireOwnFolder(folder, names);
      return true;
    } catch (error) {
      assert.ok(isFilePermissions(error), String(error));
      assert.ok(error.remedy !== null);
      return false;
    }
  };
  const made = (t: TestContext): string => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, "kms"), { mode: 0o700 });
    for (const name of ["log", join("kms", "key"), "other", join("kms", "other")])
      writeFileSync(join(folder, name), "x", { mode: 0o600 });
    return folder;
  };

  it("is refused for any file in it that others may change, however deep", (t) => {
    for (const name of ["log", "other", "kms", join("kms", "key"), join("kms", "other")]) {
      const folder = made(t);
      assert.equal(isOwn(folder), true);
      for (const mode of [0o620, 0o602, 0o777]) {
        chmodSync(join(folder, name), mode);
        assert.equal(isOwn(folder), false, `${name} ${mode.toString(8)}`);
      }
      chmodSync(join(folder, name), name === "kms" ? 0o755 : 0o644);
      assert.equal(isOwn(folder), true, `${name} may be read`);
      if (!IS_ROOT) continue;
      chownSync(join(folder, name), OTHER, OTHER);
      assert.equal(isOwn(folder), false, `${name} of another`);
    }
  });

  it("is refused for a link in the place of what is written there, and for no other link", (t) => {
    const elsewhere = join(temporaryFolder(t), "elsewhere");
    writeFileSync(elsewhere, "x");
    for (const name of ["log", join("kms", "key")])
      for (const target of [elsewhere, "/nowhere", "/dev/null", "other"]) {
        const folder = made(t);
        unlinkSync(join(folder, name));
        symlinkSync(target, join(folder, name));
        assert.equal(isOwn(folder), false, `${name} -> ${target}`);
      }
    const folder = made(t);
    renameSync(join(folder, "other"), join(folder, "another"));
    symlinkSync(elsewhere, join(folder, "other"));
    linkSync(join(folder, "log"), join(folder, "second"));
    assert.equal(isOwn(folder), true);
  });

  it("may be a link itself, to a folder of ours", (t) => {
    const folder = made(t);
    const link = join(temporaryFolder(t), "link");
    symlinkSync(folder, link);
    assert.equal(isOwn(link), true);
    chmodSync(folder, 0o777);
    assert.equal(isOwn(link), false);
  });
});
