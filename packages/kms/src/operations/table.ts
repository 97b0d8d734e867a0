// Every operation of the KMS API: from the X-Amz-Target header to the operation.

import { cancelKeyDeletion } from "./cancel-key-deletion.ts";
import { createAlias } from "./create-alias.ts";
import { createKey } from "./create-key.ts";
import { decrypt } from "./decrypt.ts";
import { deleteAlias } from "./delete-alias.ts";
import { describeKey } from "./describe-key.ts";
import { disableKey } from "./disable-key.ts";
import { enableKey } from "./enable-key.ts";
import { encrypt } from "./encrypt.ts";
import { generateDataKey } from "./generate-data-key.ts";
import { generateDataKeyWithoutPlaintext } from "./generate-data-key-without-plaintext.ts";
import { generateRandom } from "./generate-random.ts";
import { listAliases } from "./list-aliases.ts";
import { listKeys } from "./list-keys.ts";
import type { Operation } from "./operation.ts";
import { reEncrypt } from "./re-encrypt.ts";
import { scheduleKeyDeletion } from "./schedule-key-deletion.ts";
import { updateAlias } from "./update-alias.ts";

/** The service's name in `X-Amz-Target`. */
const SERVICE = "TrentService";

const ALL: readonly Operation[] = [
  cancelKeyDeletion,
  createAlias,
  createKey,
  decrypt,
  deleteAlias,
  describeKey,
  disableKey,
  enableKey,
  encrypt,
  generateDataKey,
  generateDataKeyWithoutPlaintext,
  generateRandom,
  listAliases,
  listKeys,
  reEncrypt,
  scheduleKeyDeletion,
  updateAlias,
];

/** By their value of `X-Amz-Target`. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(ALL.map((operation) => [`${SERVICE}.${operation.name}`, operation]));
