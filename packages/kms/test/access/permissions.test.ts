// The table of required permissions, asked of the server: with exactly these, without one of them, with one denied.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OPERATIONS } from "../../src/operations/table.ts";
import type { Bench } from "../behaviours/behaviour.ts";
import type { Credentials } from "../signed-call.ts";
import { PERMISSIONS } from "./permission-table.ts";
import { prepare } from "./requests.ts";
import { verdictOf, withUsers } from "./world.ts";
import type { PolicyStatement, Prepared, Users } from "./world.ts";

/** One attempt: who tries, and what must come of it. */
interface Attempt {
  readonly name: string;
  readonly user: Credentials;
  readonly expected: "allowed" | "denied";
}

/** What the caller must also be able to do: KMS makes no key that its maker cannot manage (lockout safety check). */
const MANAGES: PolicyStatement = { Effect: "Allow", Action: "kms:PutKeyPolicy", Resource: "*" };
const EVERYTHING: PolicyStatement = { Effect: "Allow", Action: "kms:*", Resource: "*" };

/** The denied ones first: they leave the request as it is. */
function attemptsOn(name: string, { resources }: Prepared, users: Users): Attempt[] {
  const permissions = PERMISSIONS[name]!;
  const manages = permissions.some(({ action }) => action === "kms:CreateKey") ? [MANAGES] : [];
  const statements = permissions.map(({ action, on }) => ({
    Effect: "Allow",
    Action: action,
    Resource: resources[on]!,
  }));
  const labelOf = (i: number): string => `${permissions[i]!.action} on ${permissions[i]!.on}`;
  return [
    ...statements.map((statement, i): Attempt => ({
      name: `without ${labelOf(i)}`,
      user: users.with(...manages, ...statements.filter((other) => other !== statement)),
      expected: "denied",
    })),
    ...statements.map((statement, i): Attempt => ({
      name: `with everything, but ${labelOf(i)} denied`,
      user: users.with(EVERYTHING, { ...statement, Effect: "Deny" }),
      expected: "denied",
    })),
    { name: "with exactly these", user: users.with(...manages, ...statements), expected: "allowed" },
  ];
}

test("the table has every operation", () => {
  const operations = new Set(Object.keys(PERMISSIONS).map((name) => name.split(" ")[0]!));
  assert.deepEqual([...operations].toSorted(), [...OPERATIONS.values()].map(({ name }) => name).toSorted());
});

test("every operation needs each of its permissions, and no other", async (t) => {
  const plan = async (b: Bench, users: Users): Promise<{ name: string; request: Prepared; attempts: Attempt[] }[]> => {
    const cases = [];
    for (const name of Object.keys(PERMISSIONS)) {
      const request = await prepare(b, name);
      cases.push({ name, request, attempts: attemptsOn(name, request, users) });
    }
    return cases;
  };
  const { prepared, send } = await withUsers(t, plan);
  const wrong: string[] = [];
  for (const { name, request, attempts } of prepared)
    for (const attempt of attempts) {
      const verdict = verdictOf(await send(request, attempt.user), request);
      if (verdict !== attempt.expected) wrong.push(`${name}, ${attempt.name}: ${verdict}`);
    }
  assert.deepEqual(wrong, []);
});
