import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { decrypt, encrypt, inspect } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { KmsClient, MultiRegionOptions, RegionFailureKind } from "@strongroom/envelope/aws-kms";
import { rejectsWith, throwsWith } from "../support/errors.ts";
import { InMemoryKms, named } from "../support/in-memory-kms.ts";
import type { Fault } from "../support/in-memory-kms.ts";

const encryptionContext = { collection: "customers", id: "42" };
const plaintext = Buffer.from("a name and an address");

function setup(options: Partial<MultiRegionOptions> = {}): {
  readonly kms: readonly [InMemoryKms, InMemoryKms, InMemoryKms];
  readonly keyring: ReturnType<typeof multiRegionKeyring>;
} {
  const kms = [new InMemoryKms("eu-west-1"), new InMemoryKms("eu-west-2"), new InMemoryKms("eu-central-1")] as const;
  const keyring = multiRegionKeyring({
    regions: kms.map((each) => each.asRegion),
    minimum: 2,
    attemptTimeoutMs: 60,
    deadlineMs: 1000,
    proveWraps: "off",
    ...options,
  });
  return { kms, keyring };
}

const FAULTS: readonly {
  readonly name: string;
  readonly fault: Fault;
  readonly reason: RegionFailureKind;
  readonly reads?: false;
}[] = [
  {
    name: "refused",
    fault: { kind: "throws", error: Object.assign(new AggregateError([named("Error", { code: "ECONNREFUSED" })])) },
    reason: "refused",
  },
  { name: "throttled", fault: { kind: "throws", error: named("ThrottlingException") }, reason: "throttled" },
  {
    name: "server error",
    fault: { kind: "throws", error: named("SomethingNew", { $metadata: { httpStatusCode: 503 } }) },
    reason: "server-error",
  },
  { name: "access denied", fault: { kind: "throws", error: named("AccessDeniedException") }, reason: "access-denied" },
  {
    name: "expired credentials",
    fault: { kind: "throws", error: named("ExpiredTokenException") },
    reason: "credentials",
  },
  { name: "disabled key", fault: { kind: "throws", error: named("DisabledException") }, reason: "key-disabled" },
  { name: "key not found", fault: { kind: "throws", error: named("NotFoundException") }, reason: "key-not-found" },
  {
    name: "key pending deletion",
    fault: {
      kind: "throws",
      error: Object.assign(named("KMSInvalidStateException"), { message: "arn is pending deletion." }),
    },
    reason: "key-pending-deletion",
  },
  { name: "black hole", fault: { kind: "never-answers", honoursAbort: true }, reason: "timeout" },
  {
    name: "black hole, client ignores its signal",
    fault: { kind: "never-answers", honoursAbort: false },
    reason: "timeout",
  },
  { name: "slow beyond the timeout", fault: { kind: "delay", ms: 200 }, reason: "timeout" },
  { name: "wrong KeyId", fault: { kind: "wrong-key-id" }, reason: "wrong-key-id" },
  { name: "wrong key length", fault: { kind: "wrong-key-length" }, reason: "wrong-key-length" },
  { name: "wrong data key", fault: { kind: "wrong-data-key" }, reason: "wrong-data-key" },
  { name: "an unknown error", fault: { kind: "throws", error: named("Surprise") }, reason: "unknown" },
];

describe("writing", () => {
  test("asks the first region for the data key and the others to wrap it", async () => {
    const { kms, keyring } = setup();
    const { encryptedDataKeys, wraps } = await encrypt(plaintext, { keyring, encryptionContext });
    assert.deepEqual(
      kms.map(({ calls }) => calls),
      [["GenerateDataKey"], ["Encrypt"], ["Encrypt"]],
    );
    assert.deepEqual(
      encryptedDataKeys.map(({ providerInfo }) => Buffer.from(providerInfo).toString()),
      kms.map(({ keyArn }) => keyArn),
    );
    assert.deepEqual(wraps, {
      target: 3,
      minimum: 2,
      stored: kms.map(({ region, keyArn }) => ({ region, keyArn })),
      missing: [],
    });
  });

  for (const { name, fault, reason } of FAULTS.filter(
    ({ fault }) => fault.kind !== "wrong-data-key" && fault.kind !== "wrong-key-length",
  )) {
    for (const index of [0, 1, 2] as const) {
      test(`goes on without region ${index + 1} and reports its missing wrap: ${name}`, async () => {
        const { kms, keyring } = setup();
        kms[index].fault = fault;
        const { wraps, message } = await encrypt(plaintext, { keyring, encryptionContext });
        assert.deepEqual(wraps?.missing, [{ region: kms[index].region, keyArn: kms[index].keyArn, reason }]);
        assert.equal(wraps.stored.length, 2);
        assert.equal(inspect(message).encryptedDataKeys.length, 2);
        kms[index].fault = { kind: "none" };
        assert.deepEqual(Buffer.from((await decrypt(message, { keyring, encryptionContext })).plaintext), plaintext);
      });
    }
  }

  test("a data key of the wrong length is not used", async () => {
    const { kms, keyring } = setup();
    kms[0].fault = { kind: "wrong-key-length" };
    const { wraps } = await encrypt(plaintext, { keyring, encryptionContext });
    assert.equal(wraps?.missing[0]?.reason, "wrong-key-length");
  });

  test("fails below the minimum, with what each region said, and without encrypting", async () => {
    const { kms, keyring } = setup();
    kms[0].fault = { kind: "throws", error: named("DisabledException") };
    kms[2].fault = { kind: "throws", error: named("ThrottlingException") };
    const error = await rejectsWith(encrypt(plaintext, { keyring, encryptionContext }), "wraps-below-minimum");
    assert.deepEqual(
      error.attempts?.map(({ region, reason }) => [region, reason]),
      [
        ["eu-west-1", "key-disabled"],
        ["eu-central-1", "throttled"],
      ],
    );
    assert.ok(
      kms[1].plaintexts.every((each) => each.every((byte) => byte === 0)),
      "the data key was not wiped",
    );
  });

  test("regions beyond the target stand in for those that fail", async () => {
    const { kms, keyring } = setup({ minimum: 1, target: 2 });
    const before = await encrypt(plaintext, { keyring, encryptionContext });
    assert.deepEqual(
      before.wraps?.stored.map(({ region }) => region),
      ["eu-west-1", "eu-west-2"],
    );
    kms[1].fault = { kind: "throws", error: named("DisabledException") };
    const after = await encrypt(plaintext, { keyring, encryptionContext });
    assert.deepEqual(
      after.wraps?.stored.map(({ region }) => region),
      ["eu-west-1", "eu-central-1"],
    );
    assert.deepEqual(after.wraps.missing, []);
  });
});

describe("reading", () => {
  for (const { name, fault, reason } of FAULTS) {
    test(`goes on to the next region: ${name}`, async () => {
      const { kms, keyring } = setup();
      const { message } = await encrypt(plaintext, { keyring, encryptionContext });
      kms[0].fault = fault;
      assert.deepEqual(Buffer.from((await decrypt(message, { keyring, encryptionContext })).plaintext), plaintext);
      const [first] = keyring.health();
      assert.equal(first?.state, "down");
      assert.equal(first.lastFailure?.kind, reason);
    });

    test(`fails with what every region said when all have it: ${name}`, async () => {
      const { kms, keyring } = setup();
      const { message } = await encrypt(plaintext, { keyring, encryptionContext });
      for (const each of kms) each.fault = fault;
      const code = fault.kind === "wrong-data-key" ? "decryption-failed" : "regions-unavailable";
      const error = await rejectsWith(decrypt(message, { keyring, encryptionContext }), code);
      assert.deepEqual(
        error.attempts?.map((attempt) => [attempt.region, attempt.reason]),
        kms.map(({ region }) => [region, reason]),
      );
      assert.deepEqual(
        error.encryptedDataKeys?.map(({ key, outcome }) => [key, outcome]),
        kms.map(({ keyArn }) => [keyArn, reason]),
      );
    });
  }

  test("the deadline holds when every region hangs", async () => {
    const { kms, keyring } = setup({ attemptTimeoutMs: 5000, deadlineMs: 150 });
    const { message } = await encrypt(plaintext, { keyring, encryptionContext });
    for (const each of kms) each.fault = { kind: "never-answers", honoursAbort: false };
    await rejectsWith(decrypt(message, { keyring, encryptionContext }), "deadline-exceeded");
    const started = performance.now();
    const error = await rejectsWith(encrypt(plaintext, { keyring, encryptionContext }), "wraps-below-minimum");
    assert.ok(performance.now() - started < 5000, "an attempt was not cut to its share of the deadline");
    assert.ok((error.attempts?.length ?? 0) >= 2);
  });

  test("the caller's signal ends a call that hangs", async () => {
    const { kms, keyring } = setup({ attemptTimeoutMs: 5000, deadlineMs: 5000 });
    const { message } = await encrypt(plaintext, { keyring, encryptionContext });
    for (const each of kms) each.fault = { kind: "never-answers", honoursAbort: true };
    await rejectsWith(decrypt(message, { keyring, encryptionContext, signal: AbortSignal.timeout(30) }), "aborted");
    await rejectsWith(encrypt(plaintext, { keyring, encryptionContext, signal: AbortSignal.timeout(30) }), "aborted");
  });

  test("a region that failed three times in a row is not asked again", async () => {
    const { kms, keyring } = setup();
    const { message } = await encrypt(plaintext, { keyring, encryptionContext });
    kms[0].fault = { kind: "never-answers", honoursAbort: true };
    for (let read = 0; read < 5; read++) await decrypt(message, { keyring, encryptionContext });
    assert.equal(kms[0].calls.filter((call) => call === "Decrypt").length, 3);
    assert.equal(kms[1].calls.filter((call) => call === "Decrypt").length, 5);
  });

  test("only configured keys are called", async () => {
    const { keyring } = setup();
    const { message } = await encrypt(plaintext, { keyring, encryptionContext });
    const stranger = setup();
    const error = await rejectsWith(
      decrypt(message, {
        keyring: multiRegionKeyring({ regions: [new InMemoryKms("us-east-1").asRegion], minimum: 1 }),
        encryptionContext,
      }),
      "no-matching-key",
    );
    assert.deepEqual(
      error.encryptedDataKeys?.map(({ region }) => region),
      ["eu-west-1", "eu-west-2", "eu-central-1"],
    );
    assert.equal(stranger.kms[0].calls.length, 0);
  });

  test("a context mismatch, a changed byte and trailing bytes cost no call", async () => {
    const { kms, keyring } = setup();
    const { message } = await encrypt(plaintext, { keyring, encryptionContext });
    const before = kms.map(({ calls }) => calls.length);
    await rejectsWith(
      decrypt(message, { keyring, encryptionContext: { ...encryptionContext, id: "43" } }),
      "context-mismatch",
    );
    await rejectsWith(
      decrypt(Buffer.concat([message, randomBytes(3)]), { keyring, encryptionContext }),
      "message-trailing-bytes",
    );
    assert.deepEqual(
      kms.map(({ calls }) => calls.length),
      before,
    );
  });

  test("every plaintext data key that a region answered is wiped", async () => {
    const { kms, keyring } = setup();
    const { message } = await encrypt(plaintext, { keyring, encryptionContext });
    kms[0].fault = { kind: "wrong-data-key" };
    kms[1].fault = { kind: "wrong-key-length" };
    await decrypt(message, { keyring, encryptionContext });
    // The client's copies that a call handed over; InMemoryKms also draws values that it never hands out.
    const handedOut = [
      kms[0].plaintexts[0],
      kms[0].plaintexts.at(-1),
      kms[1].plaintexts.at(-1),
      kms[2].plaintexts.at(-1),
    ];
    assert.ok(handedOut.every((each) => each?.every((byte) => byte === 0)));
  });
});

describe("options, health and probe", () => {
  test("problems are listed all at once", () => {
    const kms = new InMemoryKms("eu-west-1");
    const regions = [
      kms.asRegion,
      { ...kms.asRegion, keyArn: "alias/strongroom" },
      { ...kms.asRegion, region: "eu-west-2" },
    ];
    const error = throwsWith(() => multiRegionKeyring({ regions, minimum: 4, deadlineMs: -1 }), "option-invalid");
    for (const part of ["alias", "eu-west-2", "listed twice", "target", "deadlineMs"])
      assert.match(error.message, new RegExp(part));
    throwsWith(() => multiRegionKeyring({ regions: [], minimum: 0 }), "option-invalid");
  });

  test("a minimum that the regions cannot meet is told of the minimum, a target of the target", () => {
    const regions = [new InMemoryKms("eu-west-1").asRegion, new InMemoryKms("eu-west-2").asRegion];
    const says = (options: { readonly minimum: number; readonly target?: number }): string =>
      throwsWith(() => multiRegionKeyring({ regions, ...options }), "option-invalid").message;
    for (const options of [{ minimum: 3 }, { minimum: 3, target: 3 }, { minimum: 3, target: 1 }])
      assert.match(says(options), /(?<!\w )minimum must be at most 2/);
    for (const options of [
      { minimum: 1, target: 3 },
      { minimum: 2, target: 1 },
    ])
      assert.match(says(options), /target must be a whole number from minimum/);
  });

  test("health comes from real calls, a probe asks every region", async () => {
    const { kms, keyring } = setup();
    assert.deepEqual(
      keyring.health().map(({ state, latencyMs }) => [state, latencyMs]),
      Array(3).fill(["unknown", null]),
    );
    kms[1].fault = { kind: "throws", error: named("DisabledException") };
    const probed = await keyring.probe();
    assert.deepEqual(
      probed.map(({ state }) => state),
      ["up", "down", "up"],
    );
    assert.deepEqual(
      probed.map(({ calls, failures }) => [calls, failures]),
      [
        [1, 0],
        [1, 1],
        [1, 0],
      ],
    );
    kms[1].fault = { kind: "none" };
    assert.deepEqual(
      (await keyring.probe()).map(({ state }) => state),
      ["up", "up", "up"],
    );
  });

  test("the aggregated client of the AWS SDK fits the structural type", () => {
    const client: KmsClient = new KMS({ region: "eu-west-1", maxAttempts: 1 });
    assert.equal(typeof client.generateDataKey, "function");
  });
});
