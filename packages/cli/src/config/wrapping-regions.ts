// The form of `keys.regions`: where each key is, and by what its KMS is known.
import { parseFingerprint } from "@strongroom/base/tls-pin";
import { z } from "zod";
import type { WrappingRegion } from "./config.ts";

const KEY_ARN = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key\/[A-Za-z0-9-]+$/;
const ALIAS = /^alias\/|^arn:[^:]*:kms:[^:]*:[^:]*:alias\//;

const text = z.string().min(1, "must not be empty");
const httpUrl = z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" });
const regionName = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d+$/, "must be a region's name, such as eu-west-1");

/** A KMS key ARN, `arn:aws:kms:REGION:ACCOUNT:key/ID`. An alias is refused, with the reason. */
const keyArn = z.string().superRefine((value, context) => {
  if (ALIAS.test(value)) {
    context.addIssue(
      "is an alias; give the key's ARN. A stored record names the key that wrapped it, and an alias may point to " +
        "another key tomorrow. " +
        "`aws kms describe-key --key-id ALIAS --query KeyMetadata.Arn` prints the ARN",
    );
  } else if (!KEY_ARN.test(value)) {
    context.addIssue("must be a KMS key ARN: arn:aws:kms:REGION:ACCOUNT:key/ID");
  }
});

/** In any of the usual forms; one inside. */
const tlsFingerprint = z.string().transform((value, context) => {
  const fingerprint = parseFingerprint(value);
  if (fingerprint === null)
    context.addIssue("must be a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons");
  return fingerprint ?? z.NEVER;
});

/** `keys.regions` alone. */
export const wrappingRegions: z.ZodType<readonly WrappingRegion[]> = z
  .array(
    z
      .strictObject({
        region: regionName,
        keyArn: keyArn.optional(),
        keyStoreKeyArn: keyArn.optional(),
        endpoint: httpUrl.optional(),
        tlsFingerprint: tlsFingerprint.optional(),
        caFile: text.optional(),
        credentialsFile: text.optional(),
      })
      .superRefine(({ endpoint, tlsFingerprint: pinned, caFile }, context) => {
        for (const [name, value] of Object.entries({ tlsFingerprint: pinned, caFile }))
          if (value !== undefined && endpoint?.startsWith("https://") !== true)
            context.addIssue({ code: "custom", path: [name], message: "needs an https:// endpoint" });
        if (pinned !== undefined && caFile !== undefined)
          context.addIssue({ code: "custom", path: ["caFile"], message: "is of no use beside tlsFingerprint" });
      }),
  )
  .min(1, "must name at least one region");
