import assert from "node:assert/strict";
import { test } from "node:test";
import type { KMS } from "@aws-sdk/client-kms";
import { FAULT_KINDS } from "@strongroom/kms";
import type { Fault, FaultKind } from "@strongroom/kms";
import { REGION, controlHeader, failure, runningKms } from "../running-kms.ts";

/** What a Decrypt sees under each kind of fault. */
const SEEN: Record<FaultKind, (kms: KMS, CiphertextBlob: Uint8Array, KeyId: string) => Promise<void>> = {
  refuse: async (kms, CiphertextBlob) => {
    assert.match((await failure(kms.decrypt({ CiphertextBlob }))).message, /ECONNRESET|socket hang up/);
  },
  "black-hole": async (kms, CiphertextBlob) => {
    const timedOut = await failure(kms.decrypt({ CiphertextBlob }, { abortSignal: AbortSignal.timeout(150) }));
    assert.equal(timedOut.name, "AbortError");
  },
  delay: async (kms, CiphertextBlob) => {
    const from = performance.now();
    await kms.decrypt({ CiphertextBlob });
    assert.ok(performance.now() - from >= 79);
  },
  "server-error": async (kms, CiphertextBlob) => {
    assert.equal((await failure(kms.decrypt({ CiphertextBlob }))).status, 503);
  },
  throttle: async (kms, CiphertextBlob) => {
    assert.deepEqual(await failure(kms.decrypt({ CiphertextBlob })), {
      name: "ThrottlingException",
      message: "Rate exceeded",
      status: 400,
    });
  },
  "expired-credentials": async (kms, CiphertextBlob) => {
    assert.equal((await failure(kms.decrypt({ CiphertextBlob }))).name, "ExpiredTokenException");
  },
  "access-denied": async (kms, CiphertextBlob) => {
    assert.equal((await failure(kms.decrypt({ CiphertextBlob }))).name, "AccessDeniedException");
  },
  "disabled-key": async (kms, CiphertextBlob, KeyId) => {
    assert.deepEqual(await failure(kms.decrypt({ CiphertextBlob, KeyId })), {
      name: "DisabledException",
      message: `${KeyId} is disabled.`,
      status: 400,
    });
  },
  "wrong-key-id": async (kms, CiphertextBlob, KeyId) => {
    const answer = await kms.decrypt({ CiphertextBlob });
    assert.notEqual(answer.KeyId, KeyId);
    assert.equal(Buffer.from(answer.Plaintext!).toString(), "the plaintext");
  },
  "wrong-plaintext": async (kms, CiphertextBlob, KeyId) => {
    const answer = await kms.decrypt({ CiphertextBlob });
    assert.equal(answer.KeyId, KeyId);
    assert.equal(answer.Plaintext!.length, 13);
    assert.notEqual(Buffer.from(answer.Plaintext!).toString(), "the plaintext");
  },
  "short-plaintext": async (kms, CiphertextBlob) => {
    assert.equal((await kms.decrypt({ CiphertextBlob })).Plaintext!.length, 12);
  },
  "corrupt-json": async (kms, CiphertextBlob) => {
    assert.equal((await failure(kms.decrypt({ CiphertextBlob }))).name, "SyntaxError");
  },
  "slow-body": async (kms, CiphertextBlob) => {
    const from = performance.now();
    await kms.decrypt({ CiphertextBlob });
    assert.ok(performance.now() - from > 100, "more than a hundred bytes, one by one");
  },
  "half-closed": async (kms, CiphertextBlob) => {
    assert.match((await failure(kms.decrypt({ CiphertextBlob }))).message, /aborted|ECONNRESET|hang up/);
  },
};

const PARAMETERS: Partial<Record<FaultKind, object>> = {
  delay: { delayMs: 100, jitterMs: 20 },
  "server-error": { status: 503 },
  "slow-body": { intervalMs: 1 },
};

test("each kind of fault is felt as what it is named, on its operation only, and ends", async (t) => {
  const { kms, client } = await runningKms(t, { allowFaults: "loopback" });
  const region = client();
  const { KeyId, Arn } = (await region.createKey({})).KeyMetadata!;
  const { CiphertextBlob } = await region.encrypt({ KeyId: KeyId!, Plaintext: Buffer.from("the plaintext") });
  for (const kind of FAULT_KINDS) {
    await t.test(kind, async () => {
      kms.faults!.add(REGION, { kind, operations: ["Decrypt"], count: 1, ...PARAMETERS[kind] } as Fault);
      await region.listKeys({});
      await SEEN[kind](region, CiphertextBlob!, Arn!);
      const after = await region.decrypt({ CiphertextBlob: CiphertextBlob! });
      assert.equal(Buffer.from(after.Plaintext!).toString(), "the plaintext");
      assert.equal(kms.faults!.list(REGION)[0]!.hits, 1);
      assert.equal(kms.faults!.remove(REGION), 1);
    });
  }
});

test("a fault of one region is not felt in another", async (t) => {
  const { kms, client } = await runningKms(t, { allowFaults: "loopback" });
  kms.faults!.add(REGION, { kind: "throttle" });
  assert.equal((await failure(client().listKeys({}))).name, "ThrottlingException");
  await client("eu-west-2").listKeys({});
});

test("the same seed hits the same requests", async (t) => {
  const { kms } = await runningKms(t, { allowFaults: "loopback" });
  const pattern = (seed: number): string => {
    kms.faults!.add(REGION, { kind: "throttle", probability: 0.5, seed });
    const hits = Array.from({ length: 64 }, () => kms.faults!.take(REGION, "Decrypt").length).join("");
    kms.faults!.remove(REGION);
    return hits;
  };
  assert.equal(pattern(7), pattern(7));
  assert.notEqual(pattern(7), pattern(8));
  const share = pattern(9).replaceAll("0", "").length;
  assert.ok(share > 16 && share < 48);
});

test("faults are set, listed and taken back over the control port, and nonsense is refused", async (t) => {
  const { kms } = await runningKms(t, { allowFaults: "loopback" });
  const call = async (
    method: string,
    path: string,
    body?: unknown,
  ): Promise<[number, { id: string; error: string; faults: unknown[]; regions: unknown[] }]> => {
    const response = await fetch(`${kms.faultsEndpoint!}/_strongroom/${path}`, {
      method,
      headers: controlHeader(kms),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return [response.status, (await response.json()) as never];
  };
  const [status, made] = await call("POST", `regions/${REGION}/faults`, {
    kind: "delay",
    delayMs: 5,
    operations: ["Encrypt"],
  });
  assert.equal(status, 201);
  assert.deepEqual((await call("GET", `regions/${REGION}/faults`))[1].faults, [made]);
  assert.equal((await call("GET", "regions"))[1].regions.length, 3);
  assert.equal((await call("DELETE", `regions/${REGION}/faults/${made.id}`))[0], 200);
  assert.equal((await call("DELETE", `regions/${REGION}/faults/${made.id}`))[0], 404);
  for (const wrong of [
    { kind: "meteor" },
    { kind: "delay" },
    { kind: "throttle", probability: 2 },
    { kind: "throttle", typo: 1 },
    [],
  ]) {
    const [refused, { error }] = await call("POST", `regions/${REGION}/faults`, wrong);
    assert.equal(refused, 400, JSON.stringify(wrong));
    assert.ok(error.length > 0);
  }
});

test("the clock is put forward over the control port", async (t) => {
  const running = await runningKms(t, { allowFaults: "loopback" });
  const advance = (body: object | string): Promise<Response> =>
    fetch(`${running.kms.faultsEndpoint!}/_strongroom/clock`, {
      method: "POST",
      headers: controlHeader(running.kms),
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const before = running.clock.now();
  assert.equal((await advance({ advanceDays: 2 })).status, 200);
  assert.ok(running.clock.now() - before >= 2 * 86_400_000);
  const then = running.clock.now();
  const refused = ["1e300", "1e308", "-1", "9e15", "100000", '"1"', "null", "[1]", "{}", "true"];
  for (const member of ["advanceDays", "advanceMs"])
    for (const value of member === "advanceMs" ? refused.filter((one) => one !== "100000") : refused) {
      const body = `{"${member}":${value}}`;
      const answer = await advance(body);
      assert.equal(answer.status, 400, body);
      assert.match(((await answer.json()) as { error: string }).error, /option|clock|advance/i, body);
    }
  assert.equal((await advance('{"advanceMs":1e999}')).status, 400);
  assert.ok(running.clock.now() - then < 86_400_000);
  const key = await running.client().createKey({});
  assert.equal(key.KeyMetadata?.KeyState, "Enabled");
  assert.equal((await advance({ advanceMs: 0.5 })).status, 200);
  assert.ok(Number.isInteger(running.clock.now()));
});

test("without the permission there is no control port and no fault", async (t) => {
  const { kms } = await runningKms(t);
  assert.deepEqual([kms.faultsEndpoint, kms.faultsHeaderFile], [null, null]);
  assert.equal(kms.faults, null);
});
