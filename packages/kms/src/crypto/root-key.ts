// Where the root key comes from: a file that is made at first start, a passphrase through scrypt (RFC 7914), or the
// output of a command (a hardware token's tool, a secret manager's client). And how the key in a file is replaced, in
// step with the database that it seals.

import { execFile } from "node:child_process";
import { randomBytes, scrypt } from "node:crypto";
import { existsSync, linkSync, rmSync } from "node:fs";
import { promisify } from "node:util";
import { createFileSync, publishSync } from "@strongroom/base/files";
import { secretText } from "@strongroom/base/secret-memory";
import { KmsError } from "../errors.ts";
import { readSecretFile } from "../secret-file.ts";

/** How the root key is had. */
export type RootKeySource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "passphrase"; readonly passphrase: Uint8Array }
  | { readonly kind: "command"; readonly command: readonly [program: string, ...args: string[]] };

/** Cost of scrypt: 128 MiB and about half a second, per guess. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 } as const;
const COMMAND_TIMEOUT_MS = 30_000;

/** Length of the salt that the database keeps for a passphrase. */
export const SALT_LENGTH = 16;

/**
 * The 32 bytes of the root key.
 * @param first whether the database is new: only then is a missing key file made.
 * @throws KmsError `root-key-missing`, `root-key-malformed`, `file-permissions`.
 */
export async function readRootKey(
  source: RootKeySource,
  salt: Uint8Array,
  first: "first-start" | "restart",
): Promise<Buffer> {
  switch (source.kind) {
    case "file":
      return fromFile(source.path, first);
    case "passphrase":
      if (source.passphrase.length === 0) throw new KmsError("root-key-malformed", "the passphrase is empty.");
      return promisify<Uint8Array, Uint8Array, number, object, Buffer>(scrypt)(source.passphrase, salt, 32, SCRYPT);
    case "command":
      return fromCommand(source.command);
  }
}

function fromFile(path: string, first: "first-start" | "restart"): Buffer {
  if (!existsSync(path)) {
    if (first === "restart") throw new KmsError("root-key-missing", `${path} does not exist.`);
    createFileSync(path, newRootKeyText());
  }
  const text = readSecretFile(path);
  const key = parseRootKey(text.toString("latin1"), path);
  text.fill(0);
  return key;
}

/** The content of a new root key file: 64 hexadecimal digits and a line end. */
const newRootKeyText = (): string => `${randomBytes(32).toString("hex")}\n`;

async function fromCommand([program, ...args]: readonly [string, ...string[]]): Promise<Buffer> {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      timeout: COMMAND_TIMEOUT_MS,
      maxBuffer: 4096,
      encoding: "latin1",
    });
    return parseRootKey(stdout, `the output of ${program}`);
  } catch (error) {
    if (error instanceof KmsError) throw error;
    // Not the cause: a failed command's error carries its output, which may be the key.
    throw new KmsError("root-key-missing", `the command ${program} failed.`);
  }
}

/** The 32 bytes that `text` writes; `from` names it in errors. @throws KmsError `root-key-malformed`. */
function parseRootKey(text: string, from: string): Buffer {
  const digits = text.trim();
  if (!/^[0-9a-f]{64}$/i.test(digits))
    throw new KmsError("root-key-malformed", `${from} does not have 64 hexadecimal digits.`);
  return secretText(digits, "hex");
}

// Replacing the key in a file, in step with the database: the new key is staged beside the file before the database is
// sealed anew, and takes the file's place after. A process that dies in between leaves both: `settleRootKeyFile` keeps
// the one that opens the database.

const stagedPath = (path: string): string => `${path}.next`;

/** Writes a new root key beside the file and gives it (32 bytes). */
export function stageRootKey(path: string): Buffer {
  const text = newRootKeyText();
  rmSync(stagedPath(path), { force: true });
  createFileSync(stagedPath(path), text);
  return parseRootKey(text, stagedPath(path));
}

/**
 * Puts the staged key in the file's place.
 * @returns where the key it had before is kept: backups from before need it.
 */
export function promoteRootKey(path: string): string | null {
  const stamp = new Date().toISOString().replace(/[-:]/g, "");
  const kept = existsSync(path) ? `${path}.until-${stamp}` : null;
  // A second name, not a move: at no moment is there no root key file.
  if (kept !== null) linkSync(path, kept);
  publishSync(stagedPath(path), path, "replace");
  return kept;
}

/** Ends what an interrupted re-keying left: of the file and the staged key, the one that opens the database stays. */
export function settleRootKeyFile(path: string, opens: (rootKey: Buffer) => boolean): void {
  if (!existsSync(stagedPath(path))) return;
  if (fileOpens(path, opens)) rmSync(stagedPath(path));
  else if (fileOpens(stagedPath(path), opens)) promoteRootKey(path);
}

function fileOpens(path: string, opens: (rootKey: Buffer) => boolean): boolean {
  let key: Buffer;
  try {
    key = parseRootKey(readSecretFile(path).toString("latin1"), path);
  } catch {
    // Absent, half-written or unreadable: it opens nothing. What is wrong with it is said when it is read for good.
    return false;
  }
  const answer = opens(key);
  key.fill(0);
  return answer;
}
