// A KMS in which every role of a Strongroom can send a request of every operation, and what must come of it.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { CONTEXT_FORMS, ROLE_NAMES, ROLES } from "../../src/policies/roles.ts";
import type { Role } from "../../src/policies/roles.ts";
import { PERMISSIONS } from "../access/permission-table.ts";
import { prepare, REQUEST_NAMES } from "../access/requests.ts";
import { verdictOf } from "../access/world.ts";
import type { Prepared } from "../access/world.ts";
import { base64, bench } from "../behaviours/behaviour.ts";
import type { Bench } from "../behaviours/behaviour.ts";
import { ACCOUNT, runningKms, temporaryDirectory } from "../running-kms.ts";
import { signedCall } from "../signed-call.ts";
import type { Credentials } from "../signed-call.ts";

/** A context of those names. */
export const contextOf = (names: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(names.map((name) => [name, "x"]));
/** The context of a record. */
export const CONTEXT: Readonly<Record<string, string>> = contextOf(CONTEXT_FORMS[0]?.needed ?? []);
/** Who has a role. */
export const arnOf = (role: Role): string => `arn:aws:iam::${ACCOUNT}:role/strongroom-${role}`;
const keyPairOf = (role: Role): Credentials => ({
  accessKeyId: `AKIATEMPLATE${role.toUpperCase()}`,
  secretAccessKey: `secret-of-the-${role}-here`,
});

/** Members that have an encryption context, by operation. */
const CONTEXT_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  Decrypt: ["EncryptionContext"],
  Encrypt: ["EncryptionContext"],
  GenerateDataKey: ["EncryptionContext"],
  GenerateDataKeyPair: ["EncryptionContext"],
  GenerateDataKeyPairWithoutPlaintext: ["EncryptionContext"],
  GenerateDataKeyWithoutPlaintext: ["EncryptionContext"],
  ReEncrypt: ["SourceEncryptionContext", "DestinationEncryptionContext"],
};

/** Requests of every operation, under the context of a record where there is one; of other algorithms as they are. */
async function requests(b: Bench): Promise<Map<string, Prepared>> {
  const prepared = new Map<string, Prepared>();
  for (const name of REQUEST_NAMES) {
    const operation = name.split(" ")[0] ?? "";
    const isPlain = name === operation;
    const members = isPlain ? (CONTEXT_MEMBERS[operation] ?? []) : [];
    const request = await prepare(b, name, Object.fromEntries(members.map((member) => [member, CONTEXT])));
    prepared.set(name, isPlain && OPENS.has(operation) ? await openable(b, request) : request);
  }
  return prepared;
}

/** What opens a ciphertext, and needs one of the record's context. */
const OPENS: ReadonlySet<string> = new Set(["Decrypt", "ReEncrypt"]);

async function openable(b: Bench, request: Prepared): Promise<Prepared> {
  const KeyId = request.body["KeyId"] ?? request.body["SourceKeyId"];
  const body = { KeyId, Plaintext: base64("m"), EncryptionContext: CONTEXT };
  const { CiphertextBlob } = await b.ok("Encrypt", body);
  return { ...request, body: { ...request.body, CiphertextBlob } };
}

export type GivenBy = "a key policy" | "an IAM policy" | "both";

/** Whether a role may send a request, by the table of permissions. */
export function expected(name: string, role: Role, givenBy: GivenBy): "allowed" | "denied" {
  const { underContext, onKeys, onAliases, onAccount } = ROLES[role];
  const permissions = PERMISSIONS[name] ?? PERMISSIONS[name.split(" ")[0] ?? ""] ?? [];
  // Of these requests only those that are named by their operation alone have a record's context.
  const withContext = name.includes(" ") ? [] : underContext;
  const allowed = permissions.every(({ action, on, by }) => {
    const operation = action.replace("kms:", "");
    if (by === "key policy") return [...withContext, ...onKeys].includes(operation);
    if (givenBy === "a key policy") return false;
    return on === "alias"
      ? onAliases.includes(operation)
      : on === "everything"
        ? onAccount.includes(operation)
        : // On a key: no key policy can give that.
          givenBy === "an IAM policy" && onKeys.includes(operation);
  });
  return allowed ? "allowed" : "denied";
}

/** What is tried first leaves the request as it is. */
export const deniedFirst = (a: { readonly expected: string }, b: { readonly expected: string }): number =>
  Number(a.expected === "allowed") - Number(b.expected === "allowed");

export interface World {
  readonly requests: ReadonlyMap<string, Prepared>;
  readonly send: (request: Prepared, role: Role) => Promise<string>;
}

/** A KMS with the requests, whose roles have those IAM policies, and whose keys have that policy if there is one. */
export async function world(
  t: TestContext,
  iam: Readonly<Record<Role, readonly object[]>>,
  keyPolicy: object | null,
): Promise<World> {
  const dataDir = await temporaryDirectory(t);
  const b = await bench(t, { dataDir });
  const prepared = await requests(b);
  const keys = new Set(
    [...prepared.values()].flatMap(({ resources }) => Object.values(resources)).filter((arn) => /:key\/[^*]/.test(arn)),
  );
  if (keyPolicy !== null)
    for (const KeyId of keys) {
      const region = KeyId.split(":")[3] ?? "";
      const client = b.kms.clientConfig(region);
      const body = { KeyId, PolicyName: "default", Policy: JSON.stringify(keyPolicy) };
      const answer = await signedCall({ ...client, operation: "PutKeyPolicy", body });
      assert.equal(answer.status, 200, answer.text);
    }
  await b.kms.close();
  const principals = ROLE_NAMES.map((role) => ({
    arn: arnOf(role),
    policies: iam[role],
    accessKeys: [keyPairOf(role)],
  }));
  const principalsFile = join(dataDir, "principals.json");
  writeFileSync(principalsFile, JSON.stringify({ principals }), { mode: 0o600 });
  const { kms } = await runningKms(t, { dataDir, principalsFile });
  const send = async (request: Prepared, role: Role): Promise<string> => {
    const { operation, region } = request;
    // A new policy must let its maker go on, so it is the one that the role has its rights from.
    const takesPolicy = keyPolicy !== null && ["CreateKey", "PutKeyPolicy"].includes(operation);
    const body = { ...request.body, ...(takesPolicy && { Policy: JSON.stringify(keyPolicy) }) };
    const endpoint = kms.endpoints[region] ?? "";
    return verdictOf(await signedCall({ endpoint, credentials: keyPairOf(role), region, operation, body }), request);
  };
  return { requests: prepared, send };
}
