// OpenSSL's command line, the other side of the interoperation tests. It runs in a directory of its own.
// STRONGROOM_OPENSSL names another one than the `openssl` of the path.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { temporaryDirectory } from "./running-kms.ts";

const PROGRAM = process.env["STRONGROOM_OPENSSL"] ?? "openssl";

/** The version as [3, 5], or null where the command is not there. */
const version: readonly [number, number] | null = (() => {
  try {
    const [, major = "", minor = ""] =
      /^OpenSSL (\d+)\.(\d+)/.exec(execFileSync(PROGRAM, ["version"], { stdio: "pipe" }).toString()) ?? [];
    return [Number(major), Number(minor)];
  } catch {
    return null;
  }
})();

/** Whether the machine has the command. */
export const hasOpenssl: boolean = version !== null;

/** Why a test that needs OpenSSL of some version is skipped, or false. */
export function opensslLacks(major: number, minor: number): string | false {
  if (version === null) return "the openssl command is not installed here";
  const enough = version[0] > major || (version[0] === major && version[1] >= minor);
  return enough
    ? false
    : `needs OpenSSL ${major}.${minor} or newer, and ${PROGRAM} is ${version.join(".")}: name another in STRONGROOM_OPENSSL`;
}

export interface Openssl {
  /** Runs a command; gives its output, throws if it fails. */
  readonly run: (...args: string[]) => Buffer;
  /** Writes a file and gives its path. */
  readonly write: (name: string, content: Uint8Array | string) => string;
  readonly read: (name: string) => Buffer;
  readonly path: (name: string) => string;
}

export async function openssl(t: TestContext): Promise<Openssl> {
  const directory = await temporaryDirectory(t);
  const path = (name: string): string => join(directory, name);
  return {
    path,
    run: (...args) => execFileSync(PROGRAM, args, { cwd: directory, stdio: ["ignore", "pipe", "pipe"] }),
    write: (name, content) => {
      writeFileSync(path(name), content);
      return path(name);
    },
    read: (name) => readFileSync(path(name)),
  };
}
