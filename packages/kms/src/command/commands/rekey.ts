// `strongroom-kms rekey`: another root key.

import { type CommandSpec, option, text } from "@strongroom/base/command";
import type { RootKeySource } from "../../crypto/root-key.ts";
import { KmsError } from "../../errors.ts";
import { givenRootKey, rootKeyOf } from "../root-key-options.ts";
import type { RootKeySetting } from "../root-key-setting.ts";
import { command } from "../spec.ts";

export const rekeyCommand: CommandSpec = command({
  name: "rekey",
  heading: "Commands",
  summary: "change the root key",
  description: [
    "Seals all keys anew, in one transaction: killed at any moment, the data folder opens with either the old " +
      "root key or the new one. The server",
    "must not run. KMS keys, ciphertexts and ARNs stay as they are. Backups made before still need the old root " +
      "key: its file is kept until you",
    "remove it.",
  ].join(" "),
  options: {
    newRootKeyFile: option(
      "--new-root-key-file <file>",
      "the new root key's file, made if it does not exist (default: the present file gets a new key)",
      text(),
    ),
    newPassphraseFile: option(
      "--new-passphrase-file <file>",
      "instead: a file whose first line is the new passphrase",
      text(),
    ),
    newRootKeyCommand: option(
      "--new-root-key-command <command>",
      "instead: a program that prints the new root key",
      text(),
    ),
  },
  flagGroups: ["folder", "root-key"],
  examples: [
    { line: "npx @strongroom/kms rekey --data-dir /srv/kms", meaning: "a new key in root.key" },
    {
      line: "npx @strongroom/kms rekey --data-dir /srv/kms --new-passphrase-file new.txt",
      meaning: "from the key file to a passphrase",
    },
  ],
  async run({ options, loaded, context }) {
    const from = rootKeyOf(loaded);
    const given = newRootKey(options.newRootKeyFile, options.newPassphraseFile, options.newRootKeyCommand);
    const to = given ?? (from.kind === "file" ? from : null);
    if (to === null)
      throw new KmsError(
        "option-invalid",
        "say where the new root key comes from: --new-passphrase-file, --new-root-key-file or --new-root-key-command.",
      );
    const { rekey } = await import("../../upkeep/rekey.ts");
    const report = await rekey({ dataDir: loaded.dataDir, from, to });
    context.terminal.result(report, ({ resealed, oldKeyFile }) =>
      [
        `${resealed} secrets are sealed under the new root key.`,
        ...(oldKeyFile === null
          ? []
          : [`The old one is kept in ${oldKeyFile}: backups made before need it. Make a new backup, then remove it.`]),
      ].join("\n"),
    );
  },
});

function newRootKey(
  file: string | undefined,
  passphrase: string | undefined,
  command: string | undefined,
): RootKeySource | null {
  const given: RootKeySetting[] = [
    ...(file === undefined ? [] : [{ kind: "file" as const, path: file }]),
    ...(passphrase === undefined ? [] : [{ kind: "passphrase" as const, path: passphrase }]),
    ...(command === undefined ? [] : [{ kind: "command" as const, command }]),
  ];
  const [only, ...others] = given;
  if (others.length > 0)
    throw new KmsError(
      "option-invalid",
      "the new root key comes from a file, a passphrase or a command: give one of them.",
    );
  return only === undefined ? null : givenRootKey(only);
}
