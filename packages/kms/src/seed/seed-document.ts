// What a seed says: keys with fixed ids, aliases, policies, tags and material, for tests. It is written in YAML or
// JSON, or given as a value.

import { z } from "zod";
import { MANAGED_ALIASES, isKeyId } from "../keys/key-arn.ts";
import { KEY_SPECS, KEY_USAGES } from "../keys/key-spec.ts";
import type { KeySpec, KeyUsage } from "../keys/key-spec.ts";
import { REGION_NAME, REGION_NAME_RULE } from "../keys/region-name.ts";

/** A key of a seed, as it is written. */
export interface SeedKeyDocument {
  /** A UUID, or `mrk-` and 32 hexadecimal digits for a multi-Region key. */
  readonly id: string;
  /** The region's name; the server's first region if neither this nor `regions` is given. */
  readonly region?: string | undefined;
  /** The regions of a multi-Region key, the primary's first. */
  readonly regions?: readonly string[] | undefined;
  readonly description?: string | undefined;
  /** `SYMMETRIC_DEFAULT` by default. */
  readonly spec?: KeySpec | undefined;
  /** Needed for a spec that has several usages. */
  readonly usage?: KeyUsage | undefined;
  readonly enabled?: boolean | undefined;
  /** With the prefix `alias/`. */
  readonly aliases?: readonly string[] | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** A policy document, or its JSON. The default key policy if it is not given. */
  readonly policy?: string | Readonly<Record<string, unknown>> | undefined;
  /**
   * Hexadecimal digits for symmetric and HMAC keys, a private key in PEM for the others; a list (oldest first) for a
   * key that has been rotated. New random material if it is not given. FOR TESTS ONLY: whoever reads it has the key.
   */
  readonly material?: string | readonly string[] | undefined;
}

/** A seed, as it is written. */
export interface SeedDocument {
  readonly keys: readonly SeedKeyDocument[];
}

/** Text that YAML reads as something else (`007`, `yes`, sixty-four digits) is the usual mistake. */
const text = z.string({
  error: (issue) => (issue.input === undefined ? "is missing" : "must be text: put it between quotes"),
});
const region = text.regex(REGION_NAME, REGION_NAME_RULE);

const key = z.strictObject({
  id: text.refine(isKeyId, "must be a UUID in lower case, or mrk- and 32 hexadecimal digits"),
  region: region.optional(),
  regions: z.array(region).min(1).optional(),
  description: text.max(8192).optional(),
  spec: z.enum(Object.keys(KEY_SPECS) as [KeySpec, ...KeySpec[]]).optional(),
  usage: z.enum(KEY_USAGES).optional(),
  enabled: z.boolean().optional(),
  aliases: z
    .array(
      text
        .max(256)
        .regex(/^alias\/[a-zA-Z0-9/_-]+$/, "must be alias/ and letters, digits, /, _ or -")
        .refine((name) => !name.startsWith(MANAGED_ALIASES), "must not begin with alias/aws/, which is AWS's own"),
    )
    .optional(),
  tags: z.record(z.string().min(1).max(128), text.max(256)).optional(),
  policy: z
    .union([z.string(), z.record(z.string(), z.unknown())], { error: "must be a policy document, or its JSON as text" })
    .optional(),
  material: z
    .union([text, z.array(text).min(1)], { error: "must be text (put digits between quotes), or a list of texts" })
    .optional(),
});

/** The form of a seed. What goes together with what is checked in read-seed.ts. */
export const seedSchema: z.ZodType<SeedDocument> = z.strictObject({ keys: z.array(key) });
