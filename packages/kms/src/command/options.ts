// Options that several commands share, from their text to what the library takes.

import { join } from "node:path";
import { isAbsent } from "@strongroom/base/files";
import { z } from "zod";
import type { RootKeySource } from "../crypto/root-key.ts";
import { KmsError } from "../errors.ts";
import { KMS_DEFAULTS } from "../options.ts";
import { readSecretFile } from "../secret-file.ts";
import type { OptionGroup, OptionSpec } from "./spec.ts";

/** What options are when they are not given. */
export const COMMAND_DEFAULTS = {
  dataDir: "strongroom-kms-data",
  regions: [
    { name: "eu-west-1", port: 8201 },
    { name: "eu-west-2", port: 8202 },
    { name: "eu-central-1", port: 8203 },
  ],
} as const;

type Group<Shape extends z.ZodRawShape> = OptionGroup<Shape>;

const text = z.string().min(1, "must not be empty");

export const dataDirOptions: Group<{ dataDir: z.ZodDefault<z.ZodString> }> = {
  options: [
    {
      flags: "--data-dir <folder>",
      description: `where keys and credentials are kept (default: ./${COMMAND_DEFAULTS.dataDir})`,
    },
  ],
  shape: { dataDir: text.default(COMMAND_DEFAULTS.dataDir) },
};

interface RootKeyShape extends z.ZodRawShape {
  rootKeyFile: z.ZodOptional<z.ZodString>;
  passphraseFile: z.ZodOptional<z.ZodString>;
  rootKeyCommand: z.ZodOptional<z.ZodString>;
}

export const rootKeyOptions: Group<RootKeyShape> = {
  options: [
    {
      flags: "--root-key-file <file>",
      description: "the root key's file (default: root.key in the data folder, made at first start)",
    },
    { flags: "--passphrase-file <file>", description: "instead: a file whose first line is a passphrase" },
    {
      flags: "--root-key-command <command>",
      description:
        "instead: a program and its arguments, without a shell, that prints the root key as 64 hexadecimal digits",
    },
  ],
  shape: { rootKeyFile: text.optional(), passphraseFile: text.optional(), rootKeyCommand: text.optional() },
};

/** Where a root key comes from, by the three options; null if none is given. */
export interface RootKeyFlags {
  readonly rootKeyFile?: string | undefined;
  readonly passphraseFile?: string | undefined;
  readonly rootKeyCommand?: string | undefined;
}

/** @throws KmsError `option-invalid` if more than one is given, `root-key-missing`, `file-permissions`. */
export function rootKeySource({ rootKeyFile, passphraseFile, rootKeyCommand }: RootKeyFlags): RootKeySource | null {
  if ([rootKeyFile, passphraseFile, rootKeyCommand].filter((one) => one !== undefined).length > 1) {
    throw new KmsError(
      "option-invalid",
      "the root key comes from a file, a passphrase or a command: give one of them.",
    );
  }
  if (passphraseFile !== undefined) return { kind: "passphrase", passphrase: firstLine(passphraseFile) };
  if (rootKeyCommand !== undefined) {
    const [program = "", ...args] = rootKeyCommand.trim().split(/\s+/);
    return { kind: "command", command: [program, ...args] };
  }
  return rootKeyFile === undefined ? null : { kind: "file", path: rootKeyFile };
}

/** As above, with the data folder's own root key when nothing is given. */
export const rootKeyOf = (values: RootKeyFlags & { readonly dataDir: string }): RootKeySource =>
  rootKeySource(values) ?? { kind: "file", path: join(values.dataDir, KMS_DEFAULTS.rootKeyFile) };

/** Editors end a line that nobody typed: what follows the first line is not part of the passphrase. */
function firstLine(path: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readSecretFile(path);
  } catch (cause) {
    if (!isAbsent(cause)) throw cause;
    throw new KmsError("root-key-missing", `the passphrase file ${path} does not exist.`, { cause });
  }
  const end = bytes.findIndex((byte) => byte === 0x0a || byte === 0x0d);
  const line = Buffer.from(end === -1 ? bytes : bytes.subarray(0, end));
  bytes.fill(0);
  return line;
}

/** A region and its port, from `NAME` or `NAME=PORT`. */
export interface RegionFlag {
  readonly name: string;
  readonly port: number;
}

const region = z
  .string()
  .regex(/^[a-z0-9-]+(?:=\d{1,5})?$/, "must be NAME or NAME=PORT, such as eu-west-1=8201")
  .transform((one): RegionFlag => {
    const [name = "", port = "0"] = one.split("=");
    return { name, port: Number(port) };
  });

export const regionOptions: Group<{ region: z.ZodType<readonly RegionFlag[]> }> = {
  options: [
    {
      flags: "--region <name=port>",
      description: `a region; several times for several (default: ${COMMAND_DEFAULTS.regions.map(({ name, port }) => `${name}=${port}`).join(", ")}; without =PORT a free one)`,
      times: "many",
    },
  ],
  shape: { region: z.array(region).default([...COMMAND_DEFAULTS.regions]) },
};

export const accountOptions: Group<{ accountId: z.ZodDefault<z.ZodString> }> = {
  options: [
    {
      flags: "--account-id <digits>",
      description: `the account that keys belong to (default: ${KMS_DEFAULTS.accountId})`,
    },
  ],
  shape: { accountId: text.default(KMS_DEFAULTS.accountId) },
};

/** A whole number within limits, from its text. */
export const wholeNumber = (min: number, max: number): z.ZodType<number> => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, error)
    .transform(Number)
    .pipe(z.number().min(min, error).max(max, error));
};

/** The options of several groups, in order. */
export const optionsOf = (...groups: readonly { readonly options: readonly OptionSpec[] }[]): readonly OptionSpec[] =>
  groups.flatMap((group) => group.options);
