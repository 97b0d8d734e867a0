/**
 * An empty cluster, made once and copied for each server: `initdb` takes most of a second, a copy a tenth of that.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type Account, asAccount, handOver } from "./account.ts";
import { cachedFolder } from "./cache.ts";
import type { Programs } from "./programs.ts";

/** The superuser. */
export const ADMIN = "postgres";
/** An ordinary user, and the database that it owns: what an application has. */
export const USER = "strongroom";

/**
 * Sorts as English does and not by bytes, so that a comparison that forgot to ask for bytes is noticed; durable; every
 * connection needs the password.
 */
const INITDB = [
  `--username=${ADMIN}`,
  "--auth=scram-sha-256",
  "--encoding=UTF8",
  "--locale=C",
  "--locale-provider=icu",
  "--icu-locale=en-US",
  "--data-checksums",
  "--no-instructions",
];

/** Copies the cluster to a folder; answers with the password of both users. */
export async function copyTemplate(who: Account, programs: Programs, to: string): Promise<string> {
  const template = await cachedFolder(who, `cluster-${programs.build}`, (folder) =>
    makeTemplate(who, programs, folder),
  );
  await cp(join(template, "data"), to, { recursive: true });
  await chmod(to, 0o700);
  await handOver(who, to);
  return readFile(join(template, "password"), "utf8");
}

async function makeTemplate(who: Account, programs: Programs, folder: string): Promise<void> {
  const data = join(folder, "data");
  const passwordFile = join(folder, "password");
  const password = randomBytes(16).toString("hex");
  await writeFile(passwordFile, password, { mode: 0o600 });
  await handOver(who, passwordFile);
  await runProgram(who, programs, "initdb", [`--pgdata=${data}`, `--pwfile=${passwordFile}`, ...INITDB]);
  const made = await runProgram(
    who,
    programs,
    "postgres",
    ["--single", "-j", "-D", data, ADMIN],
    `create role ${USER} login password '${password}';\n\ncreate database ${USER} owner ${USER};\n\n`,
  );
  // In this mode the program goes on after a statement that failed.
  if (/ERROR|FATAL/.test(made)) throw new Error(`the users of the test's database could not be made: ${made}`);
}

/** Runs one of the programs to its end; answers with what it printed. */
export async function runProgram(
  who: Account,
  programs: Programs,
  program: string,
  args: readonly string[],
  input = "",
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { command, args: all, ...as } = asAccount(who, programs.path(program), args);
  const child = spawn(command, all, {
    ...as,
    cwd: "/",
    env: { ...process.env, ...programs.environment, ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // A program that fails at once closes its input before it has read it.
  child.stdin.on("error", () => undefined).end(input);
  const [out, problems, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  if (code !== 0) throw new Error(`${program} ended with ${String(code)}: ${problems.slice(-2000)}${out.slice(-2000)}`);
  return out + problems;
}
