// The setting that says where the root key comes from.

import { asPath, type Setting } from "@strongroom/base/settings";
import { z } from "zod";

/**
 * Where the root key comes from: a key file (made at first start), a file that holds a passphrase, or a program that
 * prints the key.
 */
export type RootKeySetting =
  | { readonly kind: "file"; readonly path?: string | undefined }
  | { readonly kind: "passphrase"; readonly path: string }
  | { readonly kind: "command"; readonly command: string };

const text = z.string().min(1, "must not be empty");
const rootKey = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("file"), path: text.optional() }),
    z.strictObject({ kind: z.literal("passphrase"), path: text }),
    z.strictObject({ kind: z.literal("command"), command: text }),
  ],
  'must be { kind: "file", path? }, { kind: "passphrase", path } or { kind: "command", command }',
);

/** The row. */
export const rootKeySetting: Setting<RootKeySetting> = {
  group: "root-key",
  schema: rootKey,
  default: { kind: "file" },
  standard: "a key file, root.key in the KMS's folder, made at first start",
  meaning: "what seals the KMS's keys",
  paths: [["path"]],
  ways: [
    {
      env: "STRONGROOM_ROOT_KEY_FILE",
      flag: "--root-key-file <file>",
      reading: (path, cwd) => ({ kind: "file", path: asPath(path, cwd) }),
      meaning: "root key of the KMS (default: root.key in the KMS's folder, made at first start)",
    },
    {
      env: "STRONGROOM_PASSPHRASE_FILE",
      flag: "--passphrase-file <file>",
      reading: (path, cwd) => ({ kind: "passphrase", path: asPath(path, cwd) }),
      meaning: "instead: derive the root key from the passphrase in the first line of this file",
    },
    {
      env: "STRONGROOM_ROOT_KEY_COMMAND",
      flag: "--root-key-command <command>",
      reading: (command, cwd) => ({ kind: "command", command: asProgram(command, cwd) }),
      meaning: "instead: a program and its arguments, without a shell, that prints it as 64 hexadecimal digits",
    },
  ],
};

/** A relative path is that of the person who gave it; a program without a path is looked for as a shell does. */
function asProgram(command: string, cwd: string): string {
  const [program = "", ...args] = command.trim().split(/\s+/);
  return [program.includes("/") ? asPath(program, cwd) : program, ...args].join(" ");
}
