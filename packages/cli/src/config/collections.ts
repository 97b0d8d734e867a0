// The form of `collections`: what is declared of each. The vault has the last word; a mistake is told here with its
// place.
import { type CollectionOptions, fieldProblems, isSchemaInput, type SchemaInput, type Scope } from "@strongroom/vault";
import { z } from "zod";
import { fieldDeclarations, indexDeclarations } from "./fields.ts";

/** `keys.scope`, and a collection's. */
export const scope: z.ZodType<Scope> = z.enum(["record", "subject", "tenant"], "must be record, subject or tenant");

const NAME = /^[a-z][a-z0-9_-]{0,62}$/;
const TENANT = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const TENANT_RULE = "must be a tenant's name (small letters, digits, `.`, `_`, `-`), or { field: NAME }";

const field = z.strictObject(
  { field: z.string("must name a field").min(1, "must name a field") },
  "must be a member { field }",
);
/** `{ field }`, or one of `texts`; each refused with `message`. */
const orField = <Text extends string>(texts: z.ZodType<Text>, message: string): z.ZodType<Text | { field: string }> =>
  z.union([texts, field], message);

const purpose = z.string().regex(/^[a-z0-9.-]{1,64}$/, "must be 1 to 64 characters of a-z 0-9 . -");
const purposeObject = z.strictObject({
  code: purpose,
  consent: z.boolean("must be true or false").optional(),
  basis: z.string("must be a text").optional(),
  description: z.string("must be a text").optional(),
});

/** `collections` alone. */
export const collectionDeclarations: z.ZodType<Readonly<Record<string, CollectionOptions>>> = z
  .record(
    z.string(),
    z.strictObject({
      scope: scope.optional(),
      subject: orField(z.enum(["id", "none"]), "must be id, none, or { field: NAME }").optional(),
      ids: z.enum(["public", "sealed"], "must be public or sealed").optional(),
      tenant: orField(z.string().regex(TENANT, TENANT_RULE), TENANT_RULE).optional(),
      purposes: z
        .array(z.union([purpose, purposeObject], "must be 1 to 64 characters of a-z 0-9 . -, or an object with a code"))
        .min(1, "must name one purpose at least")
        .optional(),
      retention: z
        .strictObject({
          after: z.union([z.int(), z.string()], 'must be days, or a period as "P2Y"'),
          from: z.string("must be the path of a field").optional(),
        })
        .optional(),
      thirdParties: z.enum(["omit", "include"], "must be omit or include").optional(),
      recipients: z.array(z.string("must be a text")).optional(),
      schema: z.custom<SchemaInput>(isSchemaInput, "must be a Standard Schema (zod, …) or a JSON Schema").optional(),
      fields: fieldDeclarations.optional(),
      indexes: indexDeclarations.optional(),
    }),
  )
  .superRefine((declared, context) => {
    for (const [name, options] of Object.entries(declared)) {
      const problems = [
        ...(NAME.test(name) ? [] : ["is no name of a collection: a small letter, then small letters, digits, - or _"]),
        ...fieldProblems(options),
      ];
      for (const message of problems) context.addIssue({ code: "custom", path: [name], message });
    }
  }) as unknown as z.ZodType<Readonly<Record<string, CollectionOptions>>>;
