// The form of `collections.NAME.fields`. In a file that is no program a normaliser is said by its name: "email",
// "phone:DE", or { kind: "phone", country: "DE" }.
import { type CompoundIndexOptions, type FieldOptions, isVaultError } from "@strongroom/vault";
import type * as normalisers from "@strongroom/vault/normalisers";
import type { Normaliser } from "@strongroom/vault/normalisers";
import { z } from "zod";

/** What a normaliser is called in a configuration. */
export type NormaliserName = "date" | "email" | "exact" | "folded-name" | "phone" | "postcode" | "text";

type Normalisers = typeof normalisers;

/** Of numbering plans and the letters of all scripts: whoever declares no collection does not wait for them. */
let loaded: Normalisers | null = null;

/** Before a configuration is checked that declares collections. */
export async function loadNormalisers(): Promise<void> {
  loaded ??= await import("@strongroom/vault/normalisers");
}

/** Name -> the normaliser. */
const NORMALISERS: Readonly<Record<NormaliserName, (of: Normalisers) => Normaliser>> = {
  date: ({ date }) => date(),
  email: ({ email }) => email(),
  exact: ({ exact }) => exact(),
  "folded-name": ({ foldedName }) => foldedName(),
  phone: ({ phone }) => phone(),
  postcode: ({ postcode }) => postcode(),
  text: ({ text }) => text(),
};

/** Names that a configuration may say. */
const NAMES = Object.keys(NORMALISERS) as NormaliserName[];

/** A normaliser by its name, or one that is written out. */
export type NormaliserInput =
  NormaliserName | `phone:${string}` | { readonly kind: NormaliserName; readonly country?: string } | Normaliser;

/** A field as a configuration declares it. */
export type FieldInput = Omit<FieldOptions, "find"> & { readonly find?: NormaliserInput };

const MUST_BE = `must be one of ${NAMES.join(", ")}, "phone:DE" of a country, or a normaliser of a program`;

const normaliser = z.unknown().transform((given, context): Normaliser => {
  if (loaded === null) throw new TypeError("a configuration was checked before its normalisers were loaded");
  const found = normaliserOf(given, loaded);
  if (found !== null) return found;
  context.addIssue({ code: "custom", message: MUST_BE });
  return z.NEVER;
});

function normaliserOf(given: unknown, from: Normalisers): Normaliser | null {
  if (isName(given)) return NORMALISERS[given](from);
  if (typeof given === "string" && given.startsWith(PHONE)) return phoneOf(given.slice(PHONE.length), from);
  if (typeof given !== "object" || given === null) return null;
  if ("normalise" in given) return given as Normaliser;
  const { kind, country, ...others } = given as Readonly<Record<string, unknown>>;
  if (!isName(kind) || Object.keys(others).length > 0) return null;
  if (country === undefined) return NORMALISERS[kind](from);
  return kind === "phone" && typeof country === "string" ? phoneOf(country, from) : null;
}

/** What is before the country. */
const PHONE = "phone:";

/** Null: there is no such country. */
function phoneOf(country: string, { phone }: Normalisers): Normaliser | null {
  try {
    return phone({ country });
  } catch (error) {
    if (isVaultError(error)) return null;
    throw error;
  }
}

const isName = (value: unknown): value is NormaliserName => NAMES.includes(value as never);

/** What of a field the vault itself checks, with all that does not go together. */
const field = z.looseObject({ find: normaliser.optional() });

/** By their paths. */
export const fieldDeclarations: z.ZodType<Readonly<Record<string, FieldOptions>>> = z.record(
  z.string(),
  field,
) as unknown as z.ZodType<Readonly<Record<string, FieldOptions>>>;

/** By their names. */
export const indexDeclarations: z.ZodType<Readonly<Record<string, CompoundIndexOptions>>> = z.record(
  z.string(),
  z.looseObject({}),
) as unknown as z.ZodType<Readonly<Record<string, CompoundIndexOptions>>>;
