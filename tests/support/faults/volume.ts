/**
 * A small volume of a test's own, which can be filled and made read-only. It takes root, on Linux.
 */
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { defer } from "../defer.ts";
import { temporaryFolder } from "./folder.ts";

/** A volume in memory. */
export interface Volume {
  readonly folder: string;
  /** Takes all the room that is left but for so many bytes. */
  readonly fill: (leaving: number) => void;
  /** Gives the room back. */
  readonly empty: () => void;
  readonly allow: (what: "ro" | "rw") => void;
}

/** Null, and the test is skipped with the reason, where none can be had. */
export async function smallVolume(t: TestContext, megabytes: number): Promise<Volume | null> {
  const folder = await temporaryFolder(t);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=700`, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    t.skip("no tmpfs can be mounted here: it takes root");
    return null;
  }
  defer(t, () => execFileSync("umount", ["--lazy", folder]));
  const ballast = join(folder, "ballast");
  return {
    folder,
    fill: (leaving) => {
      const free = Number(execFileSync("df", ["--output=avail", "--block-size=1", folder]).toString().split("\n")[1]);
      writeFileSync(ballast, Buffer.alloc(Math.max(free - leaving, 0)));
    },
    empty: () => {
      rmSync(ballast, { force: true });
    },
    allow: (what) => {
      execFileSync("mount", ["-o", `remount,${what}`, folder]);
    },
  };
}
