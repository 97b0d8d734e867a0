// The policies of the roles, asked of the server over the whole table of operations: what the table of permissions says
// that a role may do is allowed, and everything else is denied. The same for keys of another context.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { CONTEXT_FORMS, ROLE_NAMES } from "../../src/policies/roles.ts";
import type { Role } from "../../src/policies/roles.ts";
import type { Members } from "../behaviours/behaviour.ts";
import { run } from "../command/run.ts";
import { ACCOUNT, runningKms } from "../running-kms.ts";
import { arnOf, contextOf, deniedFirst, expected, world } from "./world-of-roles.ts";
import type { GivenBy, World } from "./world-of-roles.ts";

interface Policy {
  readonly Statement: readonly Members[];
}

/** What the command prints. */
async function template<T>(...args: readonly string[]): Promise<T> {
  const { exit, stdout, stderr } = await run("policy", "template", "--account-id", ACCOUNT, ...args);
  assert.equal(exit, 0, stderr);
  return JSON.parse(stdout) as T;
}

/** Sends every request as every role; for a role that may send one, it must succeed. */
async function compare(t: TestContext, { requests: all, send }: World, givenBy: GivenBy): Promise<void> {
  const attempts = [...all].flatMap(([name, request]) =>
    ROLE_NAMES.map((role) => ({ name, request, role, expected: expected(name, role, givenBy) })),
  );
  const wrong: string[] = [];
  const done = new Set<string>();
  for (const { name, request, role, ...attempt } of attempts.toSorted(deniedFirst)) {
    // One that changes its key succeeds once; the second role that may send it is asked about it by DryRun or not at all.
    if (attempt.expected === "allowed" && done.has(name) && ONCE.has(request.operation)) continue;
    if (attempt.expected === "allowed") done.add(name);
    const verdict = await send(request, role);
    if (verdict !== attempt.expected) wrong.push(`${role}, ${name}: ${verdict}, expected ${attempt.expected}`);
  }
  t.diagnostic(`${attempts.length} attempts, ${attempts.filter((one) => one.expected === "allowed").length} allowed`);
  assert.deepEqual(wrong, []);
}
const ONCE: ReadonlySet<string> = new Set(["CreateAlias", "DeleteAlias", "RevokeGrant", "UpdateAlias"]);

const NO_IAM = { service: [], writer: [], operator: [], auditor: [] };
const forAll = ROLE_NAMES.flatMap((role) => ["--for", role]);

void test("key policies allow each role what it needs, and nothing else of all operations", async (t) => {
  const policy = await template<Policy>(...forAll);
  await compare(t, await world(t, NO_IAM, policy), "a key policy");
});

void test("IAM policies do, on keys that leave it to the account", async (t) => {
  const iam = Object.fromEntries(
    await Promise.all(
      ROLE_NAMES.map(async (role) => [role, [await template<Policy>("--for", role, "--format", "iam")]] as const),
    ),
  ) as unknown as Record<Role, readonly object[]>;
  await compare(t, await world(t, iam, null), "an IAM policy");
});

void test("the Terraform module has the same policies, and they allow the same together", async (t) => {
  const module = await template<TerraformModule>(...forAll, "--format", "terraform");
  const values = (text: string): string =>
    text
      .replaceAll("${data.aws_caller_identity.current.account_id}", ACCOUNT)
      .replace(/\$\{var\.(\w+)_arn\}/g, (_whole, role: Role) => arnOf(role));
  const keyPolicy = JSON.parse(values(module.resource.aws_kms_key.strongroom.policy)) as object;
  assert.deepEqual(keyPolicy, await template<Policy>(...forAll));
  const { strongroom, strongroom_keys: ofPeople } = module.resource.aws_kms_key;
  assert.equal(ofPeople.policy, strongroom.policy, "a second key a region, for the keys of people");
  assert.deepEqual(Object.keys(module.output), ["key_arns", "key_store_key_arns"]);
  const iam = Object.fromEntries(
    ROLE_NAMES.map((role) => {
      const policy = module.resource.aws_iam_policy[`strongroom_${role}`]?.policy;
      return [role, policy === undefined ? [] : [JSON.parse(values(policy)) as object]];
    }),
  ) as unknown as Record<Role, readonly object[]>;
  assert.deepEqual(
    Object.keys(module.variable).toSorted(),
    [...ROLE_NAMES.map((role) => `${role}_arn`), "regions"].toSorted(),
  );
  const interpolations = JSON.stringify(module).match(/\$\{[^}]*/g) ?? [];
  for (const one of interpolations)
    assert.match(one, /^\$\{(?:var\.|data\.aws_caller_identity\.|each\.|aws_kms_key\.|\{ for )/);
  await compare(t, await world(t, iam, keyPolicy), "both");
});

interface TerraformModule {
  readonly variable: Readonly<Record<string, object>>;
  readonly output: Readonly<Record<string, object>>;
  readonly resource: {
    readonly aws_kms_key: Readonly<Record<"strongroom" | "strongroom_keys", { readonly policy: string }>>;
    readonly aws_iam_policy: Readonly<Record<string, { readonly policy: string } | undefined>>;
  };
}

/** Contexts of a Strongroom: every form of them, with and without what is optional. */
const CONTEXTS = CONTEXT_FORMS.flatMap(({ needed, optional }) =>
  optional.length === 0 ? [contextOf(needed)] : [contextOf(needed), contextOf([...needed, ...optional])],
);

type Named = Readonly<Record<string, string>>;

interface Moved {
  readonly SourceKeyId: string;
  readonly DestinationKeyId: string;
  readonly SourceEncryptionContext?: Named;
  readonly DestinationEncryptionContext?: Named;
}

const formOf = (context: object): string => Object.keys(context).toSorted().join();
const KNOWN_FORMS: ReadonlySet<string> = new Set(CONTEXTS.map(formOf));

/** Contexts that are none of a Strongroom. */
const OTHER_CONTEXTS: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> = {
  none: undefined,
  empty: {},
  foreign: { team: "a" },
  ...Object.fromEntries(
    CONTEXTS.flatMap((context) => [
      [`one pair more than ${formOf(context)}`, { ...context, team: "a" }],
      [`in another case ${formOf(context)}`, contextOf(Object.keys(context).map((name) => name.toUpperCase()))],
      ...Object.keys(context)
        .map((name) => contextOf(Object.keys(context).filter((other) => other !== name)))
        .filter((less) => !KNOWN_FORMS.has(formOf(less)))
        .map((less) => [`too few: ${formOf(less)}`, less]),
    ]) as [string, Readonly<Record<string, string>>][],
  ),
  "pairs of two forms": Object.assign({}, ...CONTEXTS) as Readonly<Record<string, string>>,
};

void test("who may open nothing wraps no keys of people: it could plant one that others seal under", async () => {
  const formsFor = async (role: Role, ...format: readonly string[]): Promise<readonly string[]> => {
    const { Statement } = await template<Policy>("--for", role, ...format);
    const uses = Statement.filter(({ Action }) => (Action as readonly string[]).includes("kms:Encrypt"));
    return uses.map(({ Sid }) => String(Sid));
  };
  const sids = (role: string, forms: readonly string[]): readonly string[] => forms.map((form) => `${role}${form}`);
  for (const format of [[], ["--format", "iam"]]) {
    const ofRecords = ["UnderContext", "UnderVaultContext"];
    assert.deepEqual(await formsFor("writer", ...format), sids("Writer", ofRecords));
    assert.deepEqual(await formsFor("service", ...format), sids("Service", [...ofRecords, "UnderKeyContext"]));
  }
});

void test("the service's and the operator's access keys, which the server makes: other contexts, and what destroys keys", async (t) => {
  const { kms, dataDir, client } = await runningKms(t, { strongroomUsers: "made" });
  const credentials = (user: string): { accessKeyId: string; secretAccessKey: string } =>
    JSON.parse(readFileSync(join(dataDir, `${user}-credentials.json`), "utf8")) as never;
  const [root, service, operator] = [
    client(),
    client(undefined, { credentials: credentials("service") }),
    client(undefined, { credentials: credentials("operator") }),
  ];
  const KeyId = (await operator.createKey({})).KeyMetadata?.Arn ?? "";
  const denied = { name: "AccessDeniedException" };
  assert.equal(CONTEXTS.length, 4);
  const moved = (SourceEncryptionContext?: Named, DestinationEncryptionContext?: Named): Moved => ({
    SourceKeyId: KeyId,
    DestinationKeyId: KeyId,
    ...(SourceEncryptionContext && { SourceEncryptionContext }),
    ...(DestinationEncryptionContext && { DestinationEncryptionContext }),
  });
  let wrapped: Parameters<typeof service.decrypt>[0] = { CiphertextBlob: undefined };
  for (const EncryptionContext of CONTEXTS) {
    const { CiphertextBlob } = await service.generateDataKey({ KeyId, KeySpec: "AES_256", EncryptionContext });
    wrapped = { KeyId, CiphertextBlob, EncryptionContext };
    await service.decrypt(wrapped);
    await service.encrypt({ KeyId, Plaintext: Buffer.alloc(32), EncryptionContext });
    await service.reEncrypt({ ...moved(EncryptionContext, EncryptionContext), CiphertextBlob });
  }
  await service.describeKey({ KeyId });
  for (const [name, EncryptionContext] of Object.entries(OTHER_CONTEXTS)) {
    const under = EncryptionContext === undefined ? {} : { EncryptionContext };
    const made = await root.encrypt({ KeyId, Plaintext: Buffer.alloc(32), ...under });
    await assert.rejects(service.decrypt({ KeyId, CiphertextBlob: made.CiphertextBlob, ...under }), denied, name);
    await assert.rejects(service.decrypt({ CiphertextBlob: made.CiphertextBlob, ...under }), denied, name);
    await assert.rejects(service.encrypt({ KeyId, Plaintext: Buffer.alloc(32), ...under }), denied, name);
    await assert.rejects(service.generateDataKey({ KeyId, KeySpec: "AES_256", ...under }), denied, name);
    // Neither out of what is no Strongroom's nor into it.
    const { CiphertextBlob } = made;
    await assert.rejects(service.reEncrypt({ ...moved(EncryptionContext, CONTEXTS[0]), CiphertextBlob }), denied, name);
    const own = { ...moved(wrapped.EncryptionContext, EncryptionContext), CiphertextBlob: wrapped.CiphertextBlob };
    await assert.rejects(service.reEncrypt(own), denied, name);
  }
  const Policy = (await operator.getKeyPolicy({ KeyId })).Policy ?? "";
  for (const destroys of [
    () => service.scheduleKeyDeletion({ KeyId }),
    () => service.putKeyPolicy({ KeyId, Policy }),
    () => service.disableKey({ KeyId }),
    () => service.createGrant({ KeyId, GranteePrincipal: arnOf("service"), Operations: ["Decrypt"] }),
    () => service.createKey({}),
    () => service.listKeys({}),
    () => operator.scheduleKeyDeletion({ KeyId }),
    () => operator.createGrant({ KeyId, GranteePrincipal: arnOf("operator"), Operations: ["Decrypt"] }),
    () => operator.decrypt(wrapped),
    ...CONTEXTS.flatMap((EncryptionContext) => [
      () => operator.encrypt({ KeyId, Plaintext: Buffer.alloc(1), EncryptionContext }),
      () => operator.generateDataKey({ KeyId, KeySpec: "AES_256", EncryptionContext }),
    ]),
  ])
    await assert.rejects(destroys(), denied);
  // They are the same after a start.
  const before = credentials("service");
  await kms.close();
  const again = await runningKms(t, { dataDir, strongroomUsers: "made" });
  assert.deepEqual(credentials("service"), before);
  await again.client(undefined, { credentials: before }).describeKey({ KeyId });
});

void test("the command refuses what does not go together", async () => {
  for (const args of [
    [],
    ["--for", "nobody"],
    ["--for", "service", "--format", "yaml"],
    ["--for", "service", "--for", "writer", "--format", "iam"],
    ["--for", "service", "--key", "arn:aws:kms:eu-west-1:000000000000:key/x"],
    ["--for", "service", "--format", "iam", "--key", "alias/strongroom"],
    ["--for", "service", "--principal", "service=*"],
    ["--for", "service", "--principal", `writer=${arnOf("writer")}`],
    ["--for", "service", "--format", "terraform", "--principal", `service=${arnOf("service")}`],
  ]) {
    const { exit, stdout } = await run("policy", "template", ...args);
    assert.equal(exit, 2, args.join(" "));
    assert.equal(stdout, "");
  }
  const key = "arn:aws:kms:eu-west-1:000000000000:key/mrk-1";
  const { Statement } = await template<Policy>("--for", "auditor", "--format", "iam", "--key", key);
  assert.deepEqual(Statement[0]?.["Resource"], [key]);
});
