// The two users that a server makes for a Strongroom: the service, which may use keys under the encryption context of a
// record and do nothing else, and the operator, who makes and keeps the keys and may use none. Each has an access key
// in a file of its own, made at first start beside credentials.json; their policies are those of policies/roles.ts.

import { join } from "node:path";
import { everyKeyOf, iamPolicy } from "../policies/documents.ts";
import { principalOf, readOrMakeKeyPair } from "./principals.ts";
import type { KnownKey } from "./principals.ts";

/** The users, and the files of their access keys in the data directory. */
export const STRONGROOM_USERS = {
  service: "service-credentials.json",
  operator: "operator-credentials.json",
} as const;

/** The users' access keys, made now where their files do not exist. @throws KmsError those of the files. */
export function strongroomUsers(dataDir: string, account: string): readonly KnownKey[] {
  return (["service", "operator"] as const).map((role) => ({
    ...readOrMakeKeyPair(join(dataDir, STRONGROOM_USERS[role])),
    sessionToken: null,
    expiresAt: null,
    principal: principalOf(`arn:aws:iam::${account}:user/strongroom-${role}`, [
      iamPolicy(role, { account, keys: [everyKeyOf(account)] }),
    ]),
  }));
}
