// Members of requests that many operations share, with the limits of the KMS service model, and the rules of the
// members that mean the same everywhere.

import { ENCRYPTION_ALGORITHMS } from "../keys/key-spec.ts";
import type { EncryptionAlgorithm } from "../keys/key-spec.ts";
import { notFound, unsupported, validationError } from "../protocol/aws-error.ts";
import { blob, flag, integer, list, map, oneOf, required, structure, text } from "../protocol/shape.ts";
import type { Required, Shape } from "../protocol/shape.ts";

/** An encryption context has at most so many characters. */
const MAX_CONTEXT = 8192;

export const keyId: Shape<string> = text({ min: 1, max: 2048 });
export const aliasName: Shape<string> = text({ min: 1, max: 256, pattern: "^[a-zA-Z0-9:/_-]+$" });
export const marker: Shape<string> = text({ min: 1, max: 1024, pattern: String.raw`[\u0020-\u00FF]*` });
export const limit: Shape<number> = integer({ min: 1, max: 1000 });
export const plaintext: Required<Buffer> = required(blob({ min: 1, max: 4096, secret: true }));
export const ciphertext: Shape<Buffer> = blob({ min: 1, max: 6144 });
export const grantTokens: Shape<readonly string[]> = list(text({ min: 1, max: 8192, secret: true }), {
  max: 10,
  secret: true,
});
export const dryRun: Shape<boolean> = flag();
export const dryRunModifiers: Shape<readonly "IGNORE_CIPHERTEXT"[]> = list(oneOf(["IGNORE_CIPHERTEXT"]));
export const encryptionAlgorithm: Shape<EncryptionAlgorithm> = oneOf(ENCRYPTION_ALGORITHMS);
export const description: Shape<string> = text({ max: 8192 });
export const policyDocument: Shape<string> = text({
  min: 1,
  max: 131072,
  pattern: String.raw`[\u0009\u000A\u000D\u0020-\u00FF]+`,
});

/** The non-secret pairs that a ciphertext is bound to. They are shown in the audit, as AWS does. */
export const encryptionContext: Shape<Readonly<Record<string, string>>> = limited(map());

function limited(context: Shape<Readonly<Record<string, string>>>): Shape<Readonly<Record<string, string>>> {
  return {
    read(raw, path, problems) {
      const value = context.read(raw, path, problems);
      let length = 0;
      for (const [key, text_] of Object.entries(value)) length += key.length + text_.length;
      if (length > MAX_CONTEXT)
        throw validationError(`EncryptionContext must not be longer than ${MAX_CONTEXT} characters in all.`);
      return value;
    },
    audit: (value) => context.audit(value),
  };
}

/** A Nitro enclave's attestation. */
export const recipient: Shape<{ readonly KeyEncryptionAlgorithm?: string; readonly AttestationDocument?: Buffer }> =
  structure({
    KeyEncryptionAlgorithm: oneOf(["RSAES_OAEP_SHA_256"]),
    AttestationDocument: blob({ min: 1, max: 262144 }),
  });

/** Tags of a key. */
export const tags: Shape<readonly { readonly TagKey: string; readonly TagValue: string }[]> = list(
  structure({ TagKey: required(text({ min: 1, max: 128 })), TagValue: required(text({ max: 256 })) }),
);

/**
 * Refuses rather than hands a plaintext to someone who asked for it to go to an enclave only. Attestation documents are
 * signed by AWS's hypervisor alone.
 */
export function refuseRecipient(recipient: object | undefined): void {
  if (recipient !== undefined) throw unsupported("Attestation documents of Nitro enclaves cannot be verified here.");
}

/** A key's policy has a name, and it is this one. */
export const POLICY_NAME = "default";

export const policyName: Shape<string> = text({ min: 1, max: 128, pattern: String.raw`[\w]+` });

/** @throws AwsError NotFoundException for any other name. */
export function requirePolicyName(name: string | undefined): void {
  if (name !== undefined && name !== POLICY_NAME) throw notFound("No such policy exists");
}

/** A principal by its ARN. Whether it is one: access/principal-form.ts. */
export const principal: Shape<string> = text({ min: 1, max: 256, pattern: String.raw`^[\w+=,.@:/-]+$` });
/** A service by its principal, such as `rds.amazonaws.com`. */
export const servicePrincipal: Shape<string> = text({
  min: 1,
  max: 128,
  pattern: String.raw`^([A-Za-z0-9\-]+)\.([A-Za-z0-9\-]+)(\.[A-Za-z0-9\-]+)+$`,
});

/**
 * The principal that one of two members names.
 * @throws AwsError ValidationException if both are there.
 */
export function onePrincipal(members: Readonly<Record<string, string | undefined>>): string | undefined {
  const given = Object.values(members).filter((name) => name !== undefined);
  if (given.length > 1) throw validationError(`You cannot specify both ${Object.keys(members).join(" and ")}.`);
  return given[0];
}

export const grantId: Shape<string> = text({ min: 1, max: 128 });
export const region: Shape<string> = text({ min: 1, max: 32, pattern: String.raw`^([a-z]+-){2,3}\d+$` });
export const keyMaterialId: Shape<string> = text({ min: 64, max: 64, pattern: "^[a-f0-9]+$" });

/** Custom key stores: this server has none, and answers as AWS does an account without any. */
export const storeId: Shape<string> = text({ min: 1, max: 64 });
export const storeName: Shape<string> = text({ min: 1, max: 256 });
export const storePassword: Shape<string> = text({ min: 7, max: 32, secret: true });
export const clusterId: Shape<string> = text({ min: 19, max: 24, pattern: "cluster-[2-7a-zA-Z]{11,16}" });

type ExternalStoreMember =
  | "XksProxyUriEndpoint"
  | "XksProxyUriPath"
  | "XksProxyVpcEndpointServiceName"
  | "XksProxyVpcEndpointServiceOwner"
  | "XksProxyAuthenticationCredential"
  | "XksProxyConnectivity";

/** What an external key store is reached by. */
export const externalStore: Readonly<Record<ExternalStoreMember, Shape<unknown>>> = {
  XksProxyUriEndpoint: text({ min: 10, max: 128, pattern: "^https://[a-zA-Z0-9.-]+$" }),
  XksProxyUriPath: text({
    min: 10,
    max: 128,
    pattern: String.raw`^(/[a-zA-Z0-9\/_-]+/kms/xks/v\d{1,2})$|^(/kms/xks/v\d{1,2})$`,
  }),
  XksProxyVpcEndpointServiceName: text({
    min: 20,
    max: 64,
    pattern: String.raw`^(com|eu)\.amazonaws\.vpce\.([a-z]+-){2,3}\d+\.vpce-svc-[0-9a-z]+$`,
  }),
  XksProxyVpcEndpointServiceOwner: text({ min: 12, max: 12, pattern: "[0-9]{12}" }),
  XksProxyAuthenticationCredential: structure({
    AccessKeyId: required(text({ min: 20, max: 30, pattern: "^[A-Z2-7]+$", secret: true })),
    RawSecretAccessKey: required(text({ min: 43, max: 64, pattern: String.raw`^[a-zA-Z0-9\/+=]+$`, secret: true })),
  }),
  XksProxyConnectivity: oneOf(["PUBLIC_ENDPOINT", "VPC_ENDPOINT_SERVICE"]),
};
