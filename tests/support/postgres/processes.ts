/**
 * Ends a process and its children at once, as the loss of a machine does.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** SIGKILL to the process and to all that it started; resolves when the children are gone. */
export async function killTree(pid: number): Promise<void> {
  // A process that stands still starts no more of them.
  send(pid, "SIGSTOP");
  const children = await childrenOf(pid);
  for (const each of [pid, ...children]) send(each, "SIGKILL");
  for (const child of children) while (await isAlive(child)) await sleep(5);
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const listed = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => null);
  if (listed !== null) return listed.trim().split(/\s+/).filter(Boolean).map(Number);
  const { stdout } = await run("ps", ["-A", "-o", "ppid=,pid="]);
  const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  return rows.filter(([parent]) => parent === pid).map(([, child = 0]) => child);
}

/** A process that nobody has reaped yet does nothing any more. */
async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return send(pid, 0) && !stat.includes(") Z ");
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
