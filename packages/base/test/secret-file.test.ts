import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { isAbsent } from "@strongroom/base/files";
import { readSecretFileSync } from "@strongroom/base/secret-file";

/** A folder that everyone gets to, as /etc is. */
function openFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "secret-file-"));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  chmodSync(folder, 0o755);
  return folder;
}

const MODES = [0o400, 0o600, 0o700, 0o440, 0o640, 0o604, 0o644, 0o444, 0o611, 0o620, 0o602, 0o660, 0o666, 0o777];
const FOLDER_MODES = [0o700, 0o500, 0o710, 0o701, 0o750, 0o755, 0o777, 0o1777];
/** Somebody else; only root can give files away. */
const OTHER = 65_534;
const OWNERS = process.geteuid?.() === 0 ? (["ours", "another's"] as const) : (["ours"] as const);

/** Ways to name a file that lies in `folder`: by its own name, through a link, and as Kubernetes mounts secrets. */
const NAMINGS: Readonly<Record<string, (folder: string, outside: string) => string>> = {
  "by its own name": (folder) => {
    writeFileSync(join(folder, "secret"), "secret");
    return join(folder, "secret");
  },
  "by a link in an open folder": (folder, outside) => {
    writeFileSync(join(folder, "secret"), "secret");
    symlinkSync(join(folder, "secret"), join(outside, "link"));
    return join(outside, "link");
  },
  "through ..data": (folder) => {
    mkdirSync(join(folder, "..2026"), { mode: 0o755 });
    writeFileSync(join(folder, "..2026", "secret"), "secret");
    symlinkSync("..2026", join(folder, "..data"));
    symlinkSync(join("..data", "secret"), join(folder, "secret"));
    return join(folder, "secret");
  },
};

function isTaken(path: string, others: "may-not-read" | "may-read"): boolean {
  try {
    assert.equal(readSecretFileSync(path, { others }).toString(), "secret");
    return true;
  } catch (error) {
    assert.equal((error as { code: string }).code, "file-permissions");
    return false;
  }
}

describe("a secret file", () => {
  for (const [naming, name] of Object.entries(NAMINGS)) {
    for (const fileOwner of OWNERS) {
      for (const folderOwner of OWNERS) {
        it(`named ${naming}, ${fileOwner}, in a folder that is ${folderOwner}`, (t) => {
          const outside = openFolder(t);
          const folder = join(outside, "folder");
          mkdirSync(folder);
          const path = name(folder, outside);
          if (fileOwner === "another's") chownSync(path, OTHER, OTHER);
          if (folderOwner === "another's") chownSync(folder, OTHER, OTHER);
          for (const folderMode of FOLDER_MODES) {
            chmodSync(folder, folderMode);
            for (const mode of MODES) {
              chmodSync(path, mode);
              const isClosed = (mode & 0o077) === 0;
              const isShielded = (folderMode & 0o077) === 0 && folderOwner === "ours";
              const isReadableOnly = (mode & 0o022) === 0;
              const which = `${mode.toString(8)} in ${folderMode.toString(8)}`;
              assert.equal(isTaken(path, "may-not-read"), isClosed || isShielded, which);
              assert.equal(isTaken(path, "may-read"), isClosed || isShielded || isReadableOnly, `${which}, allowed`);
            }
          }
        });
      }
    }
  }

  it("is shielded by a folder further up", (t) => {
    const above = openFolder(t);
    chmodSync(above, 0o700);
    mkdirSync(join(above, "a", "b"), { recursive: true, mode: 0o777 });
    const path = join(above, "a", "b", "secret");
    writeFileSync(path, "secret", { mode: 0o644 });
    assert.equal(isTaken(path, "may-not-read"), true);
    chmodSync(above, 0o755);
    assert.equal(isTaken(path, "may-not-read"), false);
  });

  it("that a link in a closed folder names is not shielded by the link's folder", (t) => {
    const outside = openFolder(t);
    const closed = join(outside, "closed");
    mkdirSync(closed, { mode: 0o700 });
    writeFileSync(join(outside, "secret"), "secret", { mode: 0o644 });
    symlinkSync(join(outside, "secret"), join(closed, "link"));
    assert.equal(isTaken(join(closed, "link"), "may-not-read"), false);
  });

  it("with a second name in an open folder is not shielded", (t) => {
    const outside = openFolder(t);
    const closed = join(outside, "closed");
    mkdirSync(closed, { mode: 0o700 });
    const path = join(closed, "secret");
    writeFileSync(path, "secret", { mode: 0o644 });
    assert.equal(isTaken(path, "may-not-read"), true);
    linkSync(path, join(outside, "other-name"));
    assert.equal(isTaken(path, "may-not-read"), false);
    assert.throws(() => readSecretFileSync(path), /another name elsewhere/);
  });

  it("is refused with its mode, what others may do, and the way out", (t) => {
    const path = join(openFolder(t), "secret");
    writeFileSync(path, "secret");
    const refusals: readonly (readonly [number, RegExp])[] = [
      [0o644, /mode 644 lets others read it, and no folder above it is yours alone \(mode 700\)/],
      [0o666, /mode 666 lets others change it/],
      [0o040, /mode 040 lets others read it/],
    ];
    for (const [mode, words] of refusals) {
      chmodSync(path, mode);
      assert.throws(() => readSecretFileSync(path), words);
    }
    assert.throws(() => readSecretFileSync(`${path}.none`), isAbsent);
  });

  it("that is exchanged by an orchestrator's update is read whole, from its new place", (t) => {
    const folder = openFolder(t);
    for (const version of ["..1", "..2"]) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, "secret"), version, { mode: 0o600 });
    }
    symlinkSync("..1", join(folder, "..data"));
    symlinkSync(join("..data", "secret"), join(folder, "secret"));
    assert.equal(readSecretFileSync(join(folder, "secret")).toString(), "..1");
    symlinkSync("..2", join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    assert.equal(readSecretFileSync(join(folder, "secret")).toString(), "..2");
  });

  it("is refused before it is opened: a pipe that others may read would be waited for", (t) => {
    const pipe = join(openFolder(t), "pipe");
    execFileSync("mkfifo", ["-m", "644", pipe]);
    assert.throws(() => readSecretFileSync(pipe), { code: "file-permissions" });
  });

  it("may be a shell's substitution: a pipe without a place", () => {
    const script = `import { readSecretFileSync } from "@strongroom/base/secret-file";
      process.stdout.write(readSecretFileSync(process.argv[1]));`;
    const out = execFileSync(
      "bash",
      [
        "-c",
        '"$0" --conditions=@strongroom/source --input-type=module -e "$1" <(printf secret)',
        process.execPath,
        script,
      ],
      { cwd: import.meta.dirname, encoding: "utf8" },
    );
    assert.equal(out, "secret");
  });
});
