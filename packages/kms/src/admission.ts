// Who is let in: whoever signs with a known access key, or, by an emulator, everyone.

import { join } from "node:path";
import { signedWith } from "./auth/authenticator.ts";
import type { Authenticator } from "./auth/authenticator.ts";
import { readPrincipals, rootCredentials } from "./auth/principals.ts";
import { strongroomUsers } from "./auth/strongroom-users.ts";
import { anyone } from "./emulator/anyone.ts";
import { EMULATOR_CREDENTIALS } from "./emulator/emulator-port.ts";
import type { SettledOptions } from "./options.ts";

/** Who is let in, and an access key with which one is. */
export interface Admission {
  readonly authenticate: Authenticator;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Reads who may call; the root's credentials are made now if there are none. @throws KmsError those of the files. */
export function admissionOf(options: SettledOptions): Admission {
  const { dataDir, accountId, principalsFile, emulatorPort } = options;
  const principals = principalsFile === null ? [] : readPrincipals(principalsFile);
  if (emulatorPort !== null) return { authenticate: anyone(principals, accountId), credentials: EMULATOR_CREDENTIALS };
  const root = rootCredentials(join(dataDir, "credentials.json"), accountId);
  const { accessKeyId, secretAccessKey } = root;
  const users = options.strongroomUsers === "made" ? strongroomUsers(dataDir, accountId) : [];
  return { authenticate: signedWith([root, ...users, ...principals]), credentials: { accessKeyId, secretAccessKey } };
}
