// OpenSSL's command line, the other side of the interoperation tests. It runs in a directory of its own.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { temporaryDirectory } from "./running-kms.ts";

/** Whether the machine has the command. */
export const hasOpenssl: boolean = (() => {
  try {
    execFileSync("openssl", ["version"], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
})();

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
    run: (...args) => execFileSync("openssl", args, { cwd: directory, stdio: ["ignore", "pipe", "pipe"] }),
    write: (name, content) => {
      writeFileSync(path(name), content);
      return path(name);
    },
    read: (name) => readFileSync(path(name)),
  };
}
