// Where a root key comes from, from what a person gave to what the library takes.

import { join } from "node:path";
import type { RootKeySource } from "../crypto/root-key.ts";
import { KmsError } from "../errors.ts";
import { KMS_DEFAULTS } from "../options.ts";
import { isAbsent } from "@strongroom/base/files";
import { secretConcat } from "@strongroom/base/secret-memory";
import { readSecretFile } from "../secret-file.ts";
import type { RootKeySetting } from "./root-key-setting.ts";
import type { KmsSettings } from "./settings.ts";

/** The root key that the settings name; by default the file in the KMS's own folder. */
export const rootKeyOf = ({ rootKey, dataDir }: Pick<KmsSettings, "rootKey" | "dataDir">): RootKeySource =>
  givenRootKey(rootKey) ?? { kind: "file", path: join(dataDir, KMS_DEFAULTS.rootKeyFile) };

/**
 * The root key that a setting names, or null where it leaves it to the folder.
 * @throws KmsError `root-key-missing`, `file-permissions`.
 */
export function givenRootKey(setting: RootKeySetting): RootKeySource | null {
  switch (setting.kind) {
    case "file":
      return setting.path === undefined ? null : { kind: "file", path: setting.path };
    case "passphrase":
      return { kind: "passphrase", passphrase: firstLine(setting.path) };
    case "command": {
      const [program = "", ...args] = setting.command.trim().split(/\s+/);
      return { kind: "command", command: [program, ...args] };
    }
  }
}

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
  const line = secretConcat([end === -1 ? bytes : bytes.subarray(0, end)]);
  bytes.fill(0);
  return line;
}
