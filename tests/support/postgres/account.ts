/**
 * As whom a test runs PostgreSQL, which refuses to be root and to be a user without a name: every other user runs it as
 * it is; those in a user namespace, and where there is none to be had (most containers) root as the user `nobody`.
 */
import { execFile } from "node:child_process";
import { chown, lstat, readdir } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What `nobody` is on Linux, inside of the namespace and outside. */
const NOBODY = 65_534;
const NAMESPACE = ["--user", `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, "--"];

/** `self`: as we are. `namespace`: mapped to an ordinary user. `nobody`: root gives itself up. */
export type Account = "self" | "namespace" | "nobody";

/** A command as its account runs it. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

let found: Promise<Account> | null = null;

/** The account that this process can use. STRONGROOM_POSTGRES_ACCOUNT names another one. */
export function account(): Promise<Account> {
  return (found ??= findAccount());
}

async function findAccount(): Promise<Account> {
  const wanted = process.env["STRONGROOM_POSTGRES_ACCOUNT"];
  if (wanted === "self" || wanted === "namespace" || wanted === "nobody") return wanted;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && hasName()) return "self";
  return run("unshare", [...NAMESPACE, "true"]).then(
    () => "namespace",
    () => (isRoot ? "nobody" : "self"),
  );
}

function hasName(): boolean {
  try {
    return userInfo().username !== "";
  } catch {
    return false;
  }
}

/** The command, so that the account runs it. Its process is the program itself: a signal reaches it. */
export function asAccount(who: Account, command: string, args: readonly string[]): Command {
  if (who === "namespace") return { command: "unshare", args: [...NAMESPACE, command, ...args] };
  return { command, args, ...(who === "nobody" ? { uid: NOBODY, gid: NOBODY } : {}) };
}

/** Who owns what the account's programs work on; null where files have no such owner. */
export function ownerOf(who: Account): number | null {
  return who === "nobody" ? NOBODY : (process.getuid?.() ?? null);
}

/** Hands a file, or a folder and all that is in it, over to the account. */
export async function handOver(who: Account, path: string): Promise<void> {
  if (who !== "nobody") return;
  await chown(path, NOBODY, NOBODY);
  if (!(await lstat(path)).isDirectory()) return;
  for (const name of await readdir(path)) await handOver(who, join(path, name));
}
