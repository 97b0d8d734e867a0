/** Roles as they are declared, and what they come to: nothing that no rule allows, and each decision with its rule. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ACTIONS, decide, isVaultError, parseRoles, seen } from "@strongroom/vault";
import type { Action, PolicyRequest } from "@strongroom/vault";

const POLICY = parseRoles({
  support: {
    tokens: ["4f0c2a91b7de", "helpdesk"],
    grants: [
      { collection: "people", fields: ["name", "address"], actions: ["read"], purposes: ["support"] },
      { collection: "people", fields: ["email"], actions: ["read:masked", "find:email"] },
      { collection: "people", fields: ["note"], actions: ["write"], purposes: ["support", "billing"] },
    ],
  },
  keeper: { grants: [{ collection: "*", actions: ["keys", "erase"] }] },
  all: { grants: [{ collection: "*", actions: ["admin"] }] },
});

const CASES: readonly (readonly [asked: PolicyRequest, rule: string | null, why: RegExp])[] = [
  [{ roles: [], action: "read", collection: "people" }, null, /no role/],
  [{ roles: ["nobody"], action: "read", collection: "people" }, null, /no role of that name/],
  [{ roles: ["read"], action: "read", collection: "people" }, "read", /allows/],
  [{ roles: ["read"], action: "read:masked", collection: "people", field: "x" }, "read", /allows read/],
  [{ roles: ["read"], action: "find", collection: "people", field: "x" }, "read", /allows read/],
  [{ roles: ["read"], action: "write", collection: "people" }, null, /about write/],
  [{ roles: ["write"], action: "read", collection: "people" }, null, /about read/],
  [{ roles: ["write"], action: "find", collection: "people", field: "email" }, null, /about find/],
  [{ roles: ["support"], action: "read", collection: "people", field: "name" }, null, /none was said/],
  [
    { roles: ["support"], action: "read", collection: "people", field: "name", purpose: "billing" },
    null,
    /billing is none of them/,
  ],
  [
    { roles: ["support"], action: "read", collection: "people", field: "name", purpose: "support" },
    "support[0]",
    /allows/,
  ],
  [
    { roles: ["support"], action: "read", collection: "people", field: "address.postcode", purpose: "support" },
    "support[0]",
    /allows/,
  ],
  [
    { roles: ["support"], action: "read", collection: "people", field: "addresses", purpose: "support" },
    null,
    /do not reach addresses/,
  ],
  [{ roles: ["support"], action: "read", collection: "people", purpose: "support" }, null, /the whole document/],
  [{ roles: ["support"], action: "read", collection: "orders", purpose: "support" }, null, /is for orders/],
  [{ roles: ["support"], action: "find", collection: "people", field: "email" }, "support[1]", /allows find/],
  [{ roles: ["support"], action: "find", collection: "people", field: "email.x" }, "support[1]", /allows find/],
  [{ roles: ["support"], action: "find", collection: "people", field: "phone" }, null, /do not reach phone/],
  [{ roles: ["keeper"], action: "keys", collection: "*" }, "keeper[0]", /allows/],
  [{ roles: ["keeper"], action: "admin", collection: "*" }, null, /about admin/],
  [{ roles: ["support", "keeper"], action: "erase", collection: "*" }, "keeper[0]", /allows/],
];

test("what no rule allows is denied, and each decision says by which rule, or why not", () => {
  for (const [asked, rule, why] of CASES) {
    const decision = decide(POLICY, asked);
    const what = JSON.stringify(asked);
    assert.equal(decision.allowed, rule !== null, what);
    assert.equal(decision.rule?.name ?? null, rule, what);
    assert.match(decision.why, why, what);
  }
});

test("the scopes of tokens are roles of the same names and mean what they always have", () => {
  const allowed = (role: string): readonly Action[] =>
    ACTIONS.filter((action) => decide(POLICY, { roles: [role], action, collection: "people" }).allowed);
  assert.deepEqual(allowed("read"), ["read", "read:masked", "find"]);
  assert.deepEqual(allowed("write"), ["write"]);
  assert.deepEqual(allowed("audit"), ["audit"]);
  assert.deepEqual(allowed("admin"), ACTIONS);
  assert.deepEqual(allowed("all"), ACTIONS);
});

test("a token has the roles that name its id or its label, and no others", () => {
  assert.deepEqual(POLICY.rolesOf({ id: "4f0c2a91b7de", name: "x" }), ["support"]);
  assert.deepEqual(POLICY.rolesOf({ id: "x", name: "helpdesk" }), ["support"]);
  assert.deepEqual(POLICY.rolesOf({ id: "helpdes", name: "Helpdesk" }), []);
});

test("what is seen of a field follows from rules and declaration", () => {
  const fields = { email: { mask: "email" }, "address.postcode": { mask: "last4" } } as const;
  const see = (field: string, purpose?: string): string =>
    seen(POLICY, { roles: ["support"], collection: "people", field, purpose }, fields);
  assert.equal(see("email"), "email");
  assert.equal(see("name"), "nothing");
  assert.equal(see("name", "support"), "clear");
  assert.equal(see("address.postcode", "support"), "clear");
  assert.equal(see("ssn", "support"), "nothing");
  assert.equal(see("*"), "part");
  assert.equal(seen(POLICY, { roles: ["read"], collection: "people", field: "ssn" }, fields), "clear");
});

const grant = (more: object): object => ({ r: { grants: [{ collection: "people", ...more }] } });

/** What is refused -> what is said of it. */
const WRONG: readonly (readonly [given: unknown, said: RegExp])[] = [
  [{ admin: { grants: [] } }, /admin is there already/],
  [{ Support: { grants: [] } }, /no name of a role/],
  [{ "a b": { grants: [] } }, /no name of a role/],
  [{ r: {} }, /grants must be a list/],
  [{ r: { grants: {} } }, /grants must be a list/],
  [{ r: { grants: [], rights: [] } }, /"rights" is not one of/],
  [{ r: { grants: [], tokens: "x" } }, /tokens must be a list/],
  [grant({ actions: [] }), /actions must be some of/],
  [grant({ actions: ["reed"], fields: ["*"] }), /actions must be some of/],
  [grant({ actions: ["find:"] }), /actions must be some of/],
  [grant({ actions: ["find:*"] }), /actions must be some of/],
  [grant({ actions: ["read"] }), /read needs fields/],
  [grant({ actions: ["read"], fields: [] }), /read needs fields/],
  [grant({ actions: ["read"], fields: ["a..b"] }), /fields must be a list/],
  [grant({ actions: ["read"], fields: ["address.*"] }), /fields must be a list/],
  [grant({ actions: ["read"], fields: "name" }), /fields must be a list/],
  [grant({ actions: ["read"], fields: ["*"], purposes: [] }), /purposes must be a list/],
  [grant({ actions: ["read"], fields: ["*"], purposes: ["Why not"] }), /purposes must be a list/],
  [grant({ actions: ["erase"] }), /erase is about the whole vault/],
  [grant({ actions: ["admin"] }), /admin is about the whole vault/],
  [{ r: { grants: [{ collection: "People", fields: ["*"], actions: ["read"] }] } }, /collection must be/],
  [{ r: { grants: [{ collection: "people", field: ["*"], actions: ["read"] }] } }, /"field" is not one of/],
  ["support", /plain object/],
  [[], /plain object/],
];

describe("roles that are wrong are refused", () => {
  for (const [given, said] of WRONG)
    test(JSON.stringify(given), () => {
      assert.throws(
        () => parseRoles(given),
        (error: unknown) => isVaultError(error) && error.code === "vault-option-invalid" && said.test(error.message),
      );
    });

  test("and all that is wrong is told at once", () => {
    const given = { admin: { grants: [] }, r: { grants: [{ collection: "A", fields: [""], actions: ["x"] }] } };
    assert.throws(
      () => parseRoles(given),
      (error: unknown) => isVaultError(error) && error.message.split("; ").length === 4,
    );
  });

  test("what an inherited member would allow is not read", () => {
    const inherited = Object.create({ r: { grants: [] } }) as object;
    assert.throws(() => parseRoles(inherited), isVaultError);
    const rules = parseRoles(JSON.parse('{"r":{"grants":[]}}')).rules.filter(({ role }) => role === "r");
    assert.deepEqual(rules, []);
  });
});
