// A KMS in which every permission can be tried: its root makes keys and requests first, then it is started again with
// users whose policies name what was made.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { bench } from "../behaviours/behaviour.ts";
import type { Bench, Members } from "../behaviours/behaviour.ts";
import { ACCOUNT, runningKms, temporaryDirectory } from "../running-kms.ts";
import { signedCall } from "../signed-call.ts";
import type { Credentials, WireAnswer } from "../signed-call.ts";

/** One statement of a policy of a user, as JSON. */
export type PolicyStatement = Members;

/** A request, ready to be sent by whoever may. */
export interface Prepared {
  readonly operation: string;
  readonly body: Members;
  readonly region: string;
  /** The error that it ends with although it is allowed; null: it succeeds. */
  readonly endsWith: string | null;
  /** What of the key that it is about conditions see; null: it is about none. */
  readonly key: KeyProperties | null;
  /** ARNs of what it needs permissions on, by the names of the permission table. */
  readonly resources: Readonly<Record<string, string>>;
}

/** A key as conditions see it. */
export interface KeyProperties {
  readonly arn: string;
  readonly keyId: string;
  readonly alias: string;
  readonly spec: string;
  readonly usage: string;
  readonly origin: string;
}

/** Users with policies of their own, made as they are asked for. */
export class Users {
  readonly #byPolicy = new Map<string, Credentials & { readonly arn: string; readonly policies: readonly object[] }>();

  /** The access key of the user with these statements; the same ones give the same user. */
  with(...statements: readonly PolicyStatement[]): Credentials & { readonly arn: string } {
    const policy = { Version: "2012-10-17", Statement: statements };
    const text = JSON.stringify(policy);
    const known = this.#byPolicy.get(text);
    if (known !== undefined) return known;
    const number = String(this.#byPolicy.size).padStart(6, "0");
    const user = {
      arn: `arn:aws:iam::${ACCOUNT}:user/user-${number}`,
      accessKeyId: `AKIATRIAL0${number}`,
      secretAccessKey: `secret-of-user-${number}`,
      policies: statements.length === 0 ? [] : [policy],
    };
    this.#byPolicy.set(text, user);
    return user;
  }

  /** The users as a principals file has them. */
  toFile(): string {
    const principals = [...this.#byPolicy.values()].map(({ arn, policies, accessKeyId, secretAccessKey }) => ({
      arn,
      policies,
      accessKeys: [{ accessKeyId, secretAccessKey }],
    }));
    return JSON.stringify({ principals });
  }
}

/** Puts another statement into the policy of a key. */
export async function addToKeyPolicy(b: Bench, KeyId: string, statement: PolicyStatement): Promise<void> {
  const { Policy } = await b.ok("GetKeyPolicy", { KeyId, PolicyName: "default" });
  const document = JSON.parse(Policy as string) as { Statement: PolicyStatement[] };
  const changed = { ...document, Statement: [...document.Statement, statement] };
  await b.ok("PutKeyPolicy", { KeyId, PolicyName: "default", Policy: JSON.stringify(changed) });
}

/** Sends a prepared request as a user. */
export type Send = (prepared: Prepared, user: Credentials) => Promise<WireAnswer>;

/**
 * Runs `prepare` as the account's root, starts the KMS again with the users it asked for, and gives what sends as they.
 */
export async function withUsers<T>(
  t: TestContext,
  prepare: (b: Bench, users: Users) => Promise<T>,
): Promise<{ readonly prepared: T; readonly send: Send }> {
  const dataDir = await temporaryDirectory(t);
  const first = await bench(t, { dataDir });
  const users = new Users();
  const prepared = await prepare(first, users);
  await first.kms.close();
  const principalsFile = join(dataDir, "principals.json");
  writeFileSync(principalsFile, users.toFile(), { mode: 0o600 });
  const { kms } = await runningKms(t, { dataDir, principalsFile });
  return {
    prepared,
    send: ({ operation, body, region }, credentials) =>
      signedCall({ endpoint: kms.endpoints[region]!, credentials, region, operation, body }),
  };
}

/** What became of a request: `allowed`, `denied`, or the answer itself if it is neither. */
export function verdictOf(answer: WireAnswer, { endsWith }: Pick<Prepared, "endsWith">): string {
  const type = (answer.json["__type"] ?? "") as string;
  if (type === "AccessDeniedException") return "denied";
  return (answer.status === 200 && endsWith === null) || (type !== "" && type === endsWith)
    ? "allowed"
    : `${answer.status} ${answer.text}`;
}
