/**
 * What a collection declares for people: what is wrong is refused, and nobody changes it afterwards.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { parseCollection } from "@strongroom/vault";
import { parseCollections } from "../../src/collections/declaration.ts";
import { rejectsWith } from "../support/errors.ts";

test("purposes are codes, or objects with one, side by side", async () => {
  const purposes = ["support", { code: "marketing", consent: true, basis: "6(1)(a)" }];
  const declarations = await parseCollections({ people: { purposes } }, "subject");
  purposes.push("later");
  const { purposes: codes, rights } = declarations.of(parseCollection("people"));
  assert.deepEqual(codes, ["support", "marketing"]);
  assert.deepEqual([...rights.consents], ["marketing"]);
});

test("everything that is wrong is named", async () => {
  const wrong = {
    a: { purposes: [{ code: "Marketing" }] },
    b: { purposes: [{ consent: true }] },
    c: { purposes: [{ code: "a", consent: "yes" }] },
    d: { purposes: [{ code: "a", consents: true }] },
    e: { purposes: [{ code: "a", basis: "a\nb" }] },
    f: { retention: "P2Y" },
    g: { retention: { after: "2 years" } },
    h: { retention: { after: 0 } },
    i: { retention: { after: 1, from: "a..b" } },
    j: { retention: { after: 1, of: "a" } },
    k: { thirdParties: true },
    l: { recipients: "the tax office" },
    m: { recipients: ["a\u0000"] },
    "strongroom-consents": {},
  };
  const { message } = await rejectsWith("vault-option-invalid", () => parseCollections(wrong, "subject"));
  for (const name of Object.keys(wrong)) assert.ok(message.includes(`"${name}"`), `${name}: ${message}`);
});
