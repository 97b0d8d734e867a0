import assert from "node:assert/strict";
import {
  customNormaliser,
  date,
  email,
  exact,
  foldedName,
  type Normaliser,
  type NormaliserRules,
  phone,
  type PhoneOptions,
  postcode,
  text,
} from "@strongroom/vault/normalisers";

export const use = async (): Promise<void> => {
  const german: PhoneOptions = { country: "DE" };
  const rules: NormaliserRules = { kind: "member", version: 1, form: (given) => given.toUpperCase() };
  const pairs: readonly (readonly [Normaliser, string, string])[] = [
    [email(), "Ada@Example.com", "ada@example.com"],
    [phone(german), "030 901820", "+49 30 901820"],
    [foldedName(), "Łukasz", "lukasz"],
    [date(), "2026-11-28", "2026-11-28"],
    [postcode(), "ec1a 1bb", "EC1A 1BB"],
    [text(), "One  Two", "one two"],
    [exact(), "One", "One"],
    [customNormaliser(rules), "m1", "M1"],
  ];
  for (const [normaliser, one, other] of pairs)
    assert.equal(normaliser.normalise(one), normaliser.normalise(other), normaliser.kind);
  await Promise.resolve();
};

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error a country is text
  phone({ country: 49 });
  // @ts-expect-error a normaliser has a form
  customNormaliser({ kind: "member", version: 1 });
}
