// Where the root key comes from: a file that is made at first start, a passphrase through scrypt (RFC 7914), or the
// output of a command (a hardware token's tool, a secret manager's client).

import { execFile } from "node:child_process";
import { randomBytes, scrypt } from "node:crypto";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { createFileSync } from "@strongroom/base/files";
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
export const newRootKeyText = (): string => `${randomBytes(32).toString("hex")}\n`;

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
export function parseRootKey(text: string, from: string): Buffer {
  const digits = text.trim();
  if (!/^[0-9a-f]{64}$/i.test(digits))
    throw new KmsError("root-key-malformed", `${from} does not have 64 hexadecimal digits.`);
  return Buffer.from(digits, "hex");
}
