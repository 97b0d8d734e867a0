// `strongroom-kms rekey`: another root key.

import { z } from "zod";
import { KmsError } from "../../errors.ts";
import { rekey } from "../../upkeep/rekey.ts";
import { dataDirOptions, optionsOf, rootKeyOf, rootKeyOptions, rootKeySource } from "../options.ts";
import { command } from "../spec.ts";
import type { CommandSpec } from "../spec.ts";

const schema = z.object({
  ...dataDirOptions.shape,
  ...rootKeyOptions.shape,
  newRootKeyFile: z.string().min(1).optional(),
  newPassphraseFile: z.string().min(1).optional(),
  newRootKeyCommand: z.string().min(1).optional(),
});

export const rekeyCommand: CommandSpec = command<z.infer<typeof schema>>({
  name: "rekey",
  summary: "change the root key",
  description: [
    "Seals all keys anew, in one transaction: killed at any moment, the data folder opens with either the old " +
      "root key or the new one. The server",
    "must not run. KMS keys, ciphertexts and ARNs stay as they are. Backups made before still need the old root " +
      "key: its file is kept until you",
    "remove it.",
  ].join(" "),
  options: [
    ...optionsOf(dataDirOptions, rootKeyOptions),
    {
      flags: "--new-root-key-file <file>",
      description: "the new root key's file, made if it does not exist (default: the present file gets a new key)",
    },
    { flags: "--new-passphrase-file <file>", description: "instead: a file whose first line is the new passphrase" },
    { flags: "--new-root-key-command <command>", description: "instead: a program that prints the new root key" },
  ],
  schema,
  examples: [
    { line: "npx @strongroom/kms rekey --data-dir /srv/kms", meaning: "a new key in root.key" },
    {
      line: "npx @strongroom/kms rekey --data-dir /srv/kms --new-passphrase-file new.txt",
      meaning: "from the key file to a passphrase",
    },
  ],
  async run({ values, result }) {
    const from = rootKeyOf(values);
    const given = rootKeySource({
      rootKeyFile: values.newRootKeyFile,
      passphraseFile: values.newPassphraseFile,
      rootKeyCommand: values.newRootKeyCommand,
    });
    const to = given ?? (from.kind === "file" ? from : null);
    if (to === null)
      throw new KmsError(
        "option-invalid",
        "say where the new root key comes from: --new-passphrase-file, --new-root-key-file or --new-root-key-command.",
      );
    const report = await rekey({ dataDir: values.dataDir, from, to });
    result(report, () =>
      [
        `${report.resealed} secrets are sealed under the new root key.`,
        ...(report.oldKeyFile === null
          ? []
          : [
              `The old one is kept in ${report.oldKeyFile}: backups made before need it. Make a new backup, then remove it.`,
            ]),
      ].join("\n"),
    );
    return "ok";
  },
});
