// The memory of a process: as a core dump that gdb's `gcore` writes, and read in place from /proc.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import type { NeedleIndex } from "./needle-index.ts";

/** Whether the machine can write a core dump of a running process. */
export const hasGcore: boolean = spawnSync("gcore", ["-h"], { stdio: "ignore" }).error === undefined;

/** Whether memory can be read in place. */
export const hasProcMemory: boolean = existsSync("/proc/self/mem");

/** What was found, and in how many MiB. */
export interface Searched {
  readonly found: ReadonlyMap<string, number>;
  readonly mebibytes: number;
}

const MEBIBYTE = 2 ** 20;

/** Writes a core dump beside `prefix`, searches it and removes it. */
export function searchCoreDump(pid: number, prefix: string, index: NeedleIndex): Searched {
  const { status, stderr } = spawnSync("gcore", ["-o", prefix, String(pid)], { encoding: "utf8" });
  if (status !== 0) throw new Error(`gcore failed: ${stderr.trim()}`);
  const path = `${prefix}.${pid}`;
  try {
    return { found: index.inFile(path), mebibytes: statSync(path).size / MEBIBYTE };
  } finally {
    rmSync(path);
  }
}

/** Searches everything that the process can write to. */
export function searchMemory(pid: number, index: NeedleIndex): Searched {
  const found = new Map<string, number>();
  let bytes = 0;
  for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
    const [, from = "", to = ""] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    // Addresses of user space fit into a number exactly.
    const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
    if (Number.isNaN(start) || Number.isNaN(end)) continue;
    try {
      index.inFile(`/proc/${pid}/mem`, { start, end, found });
      bytes += end - start;
    } catch (error) {
      // What is set aside but cannot be read has nothing in it.
      if ((error as { code?: unknown }).code !== "EIO" && (error as { code?: unknown }).code !== "EFAULT") throw error;
    }
  }
  return { found, mebibytes: bytes / MEBIBYTE };
}
