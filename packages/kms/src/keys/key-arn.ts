// Names of keys and aliases: key ids, ARNs and alias names, parsed once at the edge.
// Source: AWS KMS Developer Guide, "Key identifiers (KeyId)" and "Aliases".

import { AwsError, notFound, validationError } from "../protocol/aws-error.ts";

const KEY_ID = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/;
const ARN = /^arn:aws:kms:([a-z0-9-]+):(\d{12}):(key\/(.+)|(alias\/.+))$/;

/** Aliases of AWS managed keys begin so; nobody makes, moves or removes one. */
export const MANAGED_ALIASES = "alias/aws/";

/** What a KeyId parameter names. */
export type KeyReference =
  | { readonly kind: "key"; readonly account: string | null; readonly keyId: string }
  | { readonly kind: "alias"; readonly account: string | null; readonly name: string };

/** Whether `text` is a key id as AWS forms them. */
export const isKeyId = (text: string): boolean => KEY_ID.test(text);

/** Whether a key id is a multi-Region key's. */
export const isMultiRegionId = (keyId: string): boolean => keyId.startsWith("mrk-");

export const keyArn = (region: string, account: string, keyId: string): string =>
  `arn:aws:kms:${region}:${account}:key/${keyId}`;

/** `name` with its prefix `alias/`. */
export const aliasArn = (region: string, account: string, name: string): string =>
  `arn:aws:kms:${region}:${account}:${name}`;

/**
 * Parses a KeyId parameter for use in `region`.
 * @throws AwsError NotFoundException, in AWS's words, for what can name nothing here.
 */
export function parseKeyReference(text: string, region: string): KeyReference {
  if (text.startsWith("arn:")) {
    const match = ARN.exec(text);
    if (match === null) throw notFound(`Invalid arn ${text.slice(0, 256)}`);
    const [, arnRegion, account, , keyId, alias] = match;
    if (arnRegion !== region) throw notFound(`Invalid arn ${String(arnRegion)}`);
    if (alias !== undefined) return { kind: "alias", account: account ?? null, name: alias };
    if (keyId === undefined || !isKeyId(keyId)) throw notFound(`Invalid keyId '${String(keyId).slice(0, 256)}'`);
    return { kind: "key", account: account ?? null, keyId };
  }
  if (text.startsWith("alias/")) return { kind: "alias", account: null, name: text };
  if (!isKeyId(text)) throw notFound(`Invalid keyId '${text.slice(0, 256)}'`);
  return { kind: "key", account: null, keyId: text };
}

/** @throws AwsError for a name that is not a customer's alias. */
export function requireAliasName(name: string): void {
  if (!name.startsWith("alias/") || name === "alias/") {
    throw validationError(
      'Alias must start with the prefix "alias/". ' +
        "Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
    );
  }
  if (name.startsWith(MANAGED_ALIASES)) throw new AwsError("NotAuthorizedException");
  if (name.includes(":")) throw validationError(`${name} contains invalid characters for an alias`);
}

/** @throws AwsError ValidationException for an alias where only the key itself can be named. */
export function requireNoAlias(reference: string): void {
  if (/(?:^|:)alias\//.test(reference)) throw validationError("Aliases must refer to keys. Not aliases");
}
