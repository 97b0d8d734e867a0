// Who may call: the access keys and the principals behind them. credentials.json (made at first start, 0600) holds
// the account's root key pair; an optional principals file adds users and roles with policies of their own.

import { randomBytes } from "node:crypto";
import { createFileSync, isAbsent } from "@strongroom/base/files";
import { z } from "zod";
import { KmsError } from "../errors.ts";
import { readSecretFile } from "../secret-file.ts";
import { isLastingPrincipalArn, rootArn } from "./principal-arn.ts";
import type { AccessKey } from "./signature.ts";

/** The principal behind an access key. */
export interface Principal {
  readonly kind: "root" | "user" | "role";
  /** `arn:aws:iam::ACCOUNT:root`, `…:user/NAME` or `…:role/NAME`. */
  readonly arn: string;
  readonly account: string;
  /** Identity policies, as JSON values (access/policy.ts reads them). */
  readonly policies: readonly unknown[];
}

/** An access key with its principal. */
export interface KnownKey extends AccessKey {
  readonly principal: Principal;
}

const ACCESS_KEY_ID = z.string().regex(/^[A-Z0-9]{16,128}$/, "must be 16 to 128 upper-case letters and digits");
const SECRET = z.string().min(16).max(256);

/** ARN of a principal that can have access keys. */
export const PRINCIPAL_ARN: z.ZodString = z
  .string()
  .refine(isLastingPrincipalArn, "must be an IAM ARN: …:root, …:user/NAME or …:role/NAME");

const credentialsSchema = z.object({ accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET });

const principalsSchema = z.strictObject({
  principals: z.array(
    z.strictObject({
      arn: PRINCIPAL_ARN,
      policies: z.array(z.looseObject({ Statement: z.unknown() })).default([]),
      accessKeys: z
        .array(
          z.strictObject({
            accessKeyId: ACCESS_KEY_ID,
            secretAccessKey: SECRET,
            sessionToken: z.string().min(1).max(4096).optional(),
            expiresAt: z.iso.datetime().optional(),
          }),
        )
        .min(1),
    }),
  ),
});

/** The root key pair of the account, made now if the file does not exist. */
export function rootCredentials(path: string, account: string): KnownKey {
  const principal: Principal = { kind: "root", arn: rootArn(account), account, policies: [] };
  return { ...readOrMakeKeyPair(path), sessionToken: null, expiresAt: null, principal };
}

/** The key pair of a file, made now if the file does not exist. @throws KmsError those of the file. */
export function readOrMakeKeyPair(path: string): Pick<KnownKey, "accessKeyId" | "secretAccessKey"> {
  let text: string;
  try {
    text = readSecretFile(path).toString("utf8");
  } catch (error) {
    if (!isAbsent(error)) throw error;
    text = `${JSON.stringify(makeKeyPair(), null, 2)}\n`;
    createFileSync(path, text);
  }
  const { accessKeyId, secretAccessKey } = parse(credentialsSchema, text, path);
  return { accessKeyId, secretAccessKey };
}

/** A principals file, and who may read it beside its owner: orchestrators mount secrets with mode 0644. */
export interface PrincipalsFile {
  readonly path: string;
  readonly others: "may-not-read" | "may-read";
}

/** The access keys of a principals file. @throws KmsError `file-permissions`, `credentials-malformed`. */
export function readPrincipals({ path, others }: PrincipalsFile): readonly KnownKey[] {
  let text: string;
  try {
    const otherwise = "close the folder that it lies in (chmod 700), or give --allow-readable-principals";
    text = readSecretFile(path, { others, otherwise }).toString("utf8");
  } catch (error) {
    if (!isAbsent(error)) throw error;
    throw new KmsError("credentials-malformed", `${path} does not exist.`, { cause: error });
  }
  return parse(principalsSchema, text, path).principals.flatMap(({ arn, policies, accessKeys }) => {
    const principal = principalOf(arn, policies);
    return accessKeys.map((key) => ({
      accessKeyId: key.accessKeyId,
      secretAccessKey: key.secretAccessKey,
      sessionToken: key.sessionToken ?? null,
      expiresAt: key.expiresAt === undefined ? null : Date.parse(key.expiresAt),
      principal,
    }));
  });
}

/** The principal of an ARN that `PRINCIPAL_ARN` accepts. */
export function principalOf(arn: string, policies: readonly unknown[]): Principal {
  const [, , , , account = "", resource = ""] = arn.split(":");
  const kind = resource === "root" ? "root" : resource.startsWith("user/") ? "user" : "role";
  return { kind, arn, account, policies };
}

function makeKeyPair(): { accessKeyId: string; secretAccessKey: string } {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const id = Array.from(randomBytes(16), (byte) => letters.charAt(byte % 32)).join("");
  return { accessKeyId: `AKIA${id}`, secretAccessKey: randomBytes(30).toString("base64") };
}

function parse<T>(schema: z.ZodType<T>, text: string, path: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new KmsError("credentials-malformed", `${path} is not JSON.`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  // The issue's path and rule, never the value: it may be a secret.
  const problems = result.error.issues.map((issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`);
  throw new KmsError("credentials-malformed", `${path}: ${problems.join("; ")}`);
}
