/**
 * Rewrapping in several regions: one ReEncrypt in each where that is possible, the key opened once for the rest, and no
 * call more than needed. In virtual time.
 */
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { rawAesKeyring } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { makeKey, unwrapKey } from "@strongroom/envelope/keyrings";
import { multiKeyring } from "@strongroom/envelope/multi-keyring";
import { rawRsaKeyring } from "@strongroom/envelope/raw-rsa";
import { rejectsWith } from "../support/errors.ts";
import type { Fault, InMemoryKms } from "../support/in-memory-kms.ts";
import { KmsService } from "../support/kms-service.ts";
import {
  encryptionContext,
  garbage,
  keyArnEntry,
  names,
  reasons,
  REGIONS,
  rewrapped,
  throwing,
  World,
} from "../support/rewrapping.ts";
import type { Side } from "../support/rewrapping.ts";

describe("no more calls than needed", () => {
  test("one ReEncrypt in each region, and the key is not opened", async () => {
    const world = await World.with();
    const result = await world.rewrap({ proof: "none" });
    assert.deepEqual(
      world.calls(),
      REGIONS.map((region) => `${region} ReEncrypt old>next`),
    );
    assert.deepEqual([result.target, result.missing, names(result).length], [3, [], 3]);
    assert.ok(result.made.every(({ isProven }) => !isProven));
    await world.opens(result);
  });

  test("proven: each new wrap is opened by its own key besides", async () => {
    const world = await World.with();
    const result = await world.rewrap();
    assert.deepEqual(
      world.calls(),
      REGIONS.flatMap((region) => [`${region} ReEncrypt old>next`, `${region} Decrypt next`]),
    );
    assert.ok(result.made.every(({ isProven }) => isProven));
    assert.ok(world.isWiped());
  });

  test("one new region: the key is opened once, by the nearest, and wrapped once", async () => {
    const world = await World.with();
    const services = [...world.services, new KmsService("eu-north-1")];
    const wider = world.side("wide", services);
    const { made } = await world.rewrap({ proof: "none", keyring: wider.keyring });
    world.calls();
    const have = made.slice(0, 3).map(({ key }) => key);
    const result = await world.rewrap({ proof: "none", keyring: wider.keyring, have });
    assert.deepEqual(world.calls(), ["eu-west-1 Decrypt old"]);
    assert.deepEqual(
      services[3]?.calls.splice(0).map(({ operation }) => operation),
      ["Encrypt", "Encrypt"],
    );
    assert.deepEqual(names(result), ["eu-north-1-wide"]);
    await world.opens(result, wider);
  });
});

describe("what a proof has shown, and who has the same key twice", () => {
  test("a proof's key is the one that a new region is given: no wrap is opened for that alone", async () => {
    const world = await World.with();
    const services = [...world.services, new KmsService("eu-north-1")];
    const wide = world.side("wide", services);
    const result = await world.rewrap({ keyring: wide.keyring });
    const each = REGIONS.flatMap((region) => [`${region} ReEncrypt old>wide`, `${region} Decrypt wide`]);
    assert.deepEqual(world.calls(), each);
    assert.deepEqual(
      services[3]?.calls.map(({ operation }) => operation),
      ["Encrypt", "Decrypt"],
    );
    assert.ok(result.made.length === 4 && world.isWiped());
  });

  test("two sources with the same keys are one, and its own region is taken for both", async () => {
    const world = await World.with();
    const { wraps } = await rewrapped(world, world.next);
    const twins = [0, 1].map(() =>
      multiRegionKeyring({
        regions: world.next.keys.map(({ region, keyArn }, index) => ({
          region,
          keyArn,
          client: world.services[index]!,
        })),
        minimum: 1,
        time: world.time,
      }),
    );
    world.calls();
    for (const service of world.services) service.faults.set("ReEncrypt", throwing("AccessDeniedException"));
    const { made } = await world.rewrap({ sources: twins, proof: "none" }, wraps);
    assert.equal(made.length, 3);
    const expected = REGIONS.flatMap((region) => [`${region} ReEncrypt next>next`, `${region} Encrypt next`]);
    assert.deepEqual(world.calls().toSorted(), [...expected, "eu-west-1 Decrypt next"].toSorted());
    for (const twin of twins) assert.ok(twin.health().every(({ calls }) => calls === 0));
  });

  test("what a keyring that knows of no other way wraps twice is given once", async () => {
    const world = await World.with();
    const raw = ["a", "b"].map((keyName) =>
      rawAesKeyring({ keyNamespace: "cellar", keyName, wrappingKey: randomBytes(32) }),
    );
    const { made, missing, target } = await world.rewrap({ keyring: multiKeyring({ children: raw }), have: ["a"] });
    assert.deepEqual([made.map(({ key }) => key), missing, target], [["b"], [], 2]);
  });

  test("a wrap under a public key is no source: anybody could have made it", async () => {
    const world = await World.with();
    const names = { keyNamespace: "recovery", keyName: "1", padding: "OAEP_SHA256_MGF1" } as const;
    const rsa = rawRsaKeyring({ ...names, ...generateKeyPairSync("rsa", { modulusLength: 2048 }) });
    const { wraps } = await makeKey({ keyring: rsa, encryptionContext, keyArnEntry });
    await rejectsWith(world.rewrap({ sources: [rsa], accepts: () => true }, wraps), "no-matching-key");
  });
});

describe("what there is already, and what is asked of nobody", () => {
  test("nothing is asked where the target is met", async () => {
    const world = await World.with();
    const have = world.next.keys.map(({ keyArn }) => keyArn);
    assert.deepEqual(await world.rewrap({ have }), { made: [], target: 3, missing: [] });
    assert.deepEqual(world.calls(), []);
  });

  test("wrapping keys that are no part of the keyring count for nothing", async () => {
    const world = await World.with();
    const result = await world.rewrap({ have: world.old.keys.map(({ keyArn }) => keyArn), proof: "none" });
    assert.equal(result.made.length, 3);
  });

  test("a key that no source names is not asked, whatever a wrap names", async () => {
    const world = await World.with();
    const strangers = world.side("strange", world.services);
    const { wraps } = await rewrapped(world, strangers);
    world.calls();
    await rejectsWith(world.rewrap({ sources: [world.next.keyring] }, wraps), "no-matching-key");
    assert.deepEqual(world.calls(), []);
  });

  test("under rotated material of the same keys: a wrap becomes one of the same key", async () => {
    const world = await World.with();
    for (const service of world.services) service.material = "second";
    const options = { keyring: world.old.keyring, sources: [world.old.keyring], proof: "none" } as const;
    const result = await world.rewrap(options);
    assert.deepEqual(
      world.calls(),
      REGIONS.map((region) => `${region} ReEncrypt old>old`),
    );
    assert.deepEqual(
      result.made.map(({ material }) => material),
      ["second", "second", "second"],
    );
    await world.opens(result, world.old);
  });

  test("what a key's replica wrapped is re-encrypted by the key beside, bound to the replica's name", async () => {
    const world = await World.with();
    const west = new KmsService("us-west-2");
    const primary = world.services[0]?.multiRegionKey("shared");
    assert.ok(primary !== undefined);
    const replica = west.replica(primary);
    const target = west.key("next");
    const policy = { minimum: 1, proveWraps: "off", time: world.time } as const;
    const [writer, reader, next] = [
      [primary, world.services[0]],
      [replica, west],
      [target, west],
    ].map(([key, client]) => {
      const { region, keyArn } = key as InMemoryKms;
      return multiRegionKeyring({ ...policy, regions: [{ region, keyArn, client: client as KmsService }] });
    });
    const { made } = await world.rewrap({ keyring: writer! });
    world.calls();
    const wraps = made.map(({ wrap }) => wrap);
    const result = await world.rewrap({ keyring: next!, sources: [reader!], proof: "opened" }, wraps);
    assert.deepEqual(
      west.calls.map(({ operation }) => operation),
      ["ReEncrypt", "Decrypt"],
    );
    assert.deepEqual([result.made.length, world.calls()], [1, []]);
  });

  test("the materials that the keys have now", async () => {
    const world = await World.with();
    const now = async (): Promise<unknown> =>
      (await world.time.run(world.next.keyring.currentMaterials?.({ signal: undefined }) ?? Promise.resolve(null)))
        .value;
    assert.deepEqual(await now(), [], "a service that does not tell");
    for (const service of world.services) service.material = `of ${service.region}`.replace(" ", "-");
    world.services[1]?.faults.set("DescribeKey", throwing("ThrottlingException"));
    assert.deepEqual(
      await now(),
      world.next.keys.map(({ keyArn, region }, index) => ({
        key: keyArn,
        material: index === 1 ? null : `of-${region}`,
      })),
    );
    const signal = AbortSignal.abort();
    await rejectsWith(world.next.keyring.currentMaterials?.({ signal }) ?? Promise.resolve(), "aborted");
  });
});

describe("sources", () => {
  const elsewhere = (world: World): Side =>
    world.side("far", [new KmsService("us-east-1"), new KmsService("us-west-2")]);

  test("the first source is lost for good: another has wraps too", async () => {
    const world = await World.with();
    const second = elsewhere(world);
    const { wraps } = await rewrapped(world, second);
    world.calls();
    const all = [...world.wraps, ...wraps];
    for (const old of world.old.keys) old.fault = throwing("NotFoundException");
    const result = await world.rewrap({ sources: [world.old.keyring, second.keyring], proof: "none" }, all);
    assert.deepEqual([result.missing, result.made.length], [[], 3]);
    await world.opens(result);
  });

  test("no old key opens any more, and one of them still re-encrypts: the rest is made of what that made", async () => {
    const world = await World.with();
    const arns = world.old.keys.map(({ keyArn }) => keyArn);
    for (const service of world.services) service.denyDecryptOf(arns);
    for (const service of world.services.slice(1)) service.faults.set("ReEncrypt", throwing("AccessDeniedException"));
    const result = await world.rewrap({ proof: "none" });
    assert.deepEqual([result.missing, result.made.length], [[], 3]);
    assert.ok(world.calls().includes("eu-west-1 Decrypt next"));
    await world.opens(result);
  });

  test("nothing opens: the error is that of opening, and no region is blamed", async () => {
    const world = await World.with();
    const second = elsewhere(world);
    for (const old of world.old.keys) old.fault = throwing("AccessDeniedException");
    await rejectsWith(world.rewrap({ keyring: second.keyring }), "regions-unavailable");
    assert.ok(second.keyring.health().every(({ state }) => state === "unknown"));
    for (const old of world.old.keys) old.fault = { kind: "none" };
    const others = world.wraps.map((wrap) => ({ ...wrap, ciphertext: garbage(Buffer.from(wrap.ciphertext)) }));
    await rejectsWith(world.rewrap({ keyring: second.keyring }, others), "decryption-failed");
  });

  test("from a raw key into regions, and from regions into a raw key: then the regions may go", async () => {
    const world = await World.with();
    const raw = rawAesKeyring({ keyNamespace: "cellar", keyName: "2027", wrappingKey: randomBytes(32) });
    const out = await world.rewrap({ keyring: raw });
    assert.deepEqual([out.target, out.missing], [1, []]);
    assert.deepEqual(
      out.made.map(({ key, isProven, material }) => [key, isProven, material]),
      [["2027", true, null]],
    );
    assert.equal(world.calls().filter((call) => call.includes("Decrypt")).length, 1);
    for (const service of world.services) service.faults.set("*", throwing("AccessDeniedException"));
    const { accepts, time } = world;
    const wraps = out.made.map(({ wrap }) => wrap);
    const opened = await time.run(unwrapKey(wraps, { keyring: raw, encryptionContext, keyArnEntry, accepts }));
    opened.value.key.wipe();
    for (const service of world.services) service.faults.clear();
    const back = await world.rewrap({ sources: [raw] }, wraps);
    assert.deepEqual([back.made.length, back.missing], [3, []]);
    await world.opens(back);
    assert.ok(world.isWiped());
  });
});

describe("cut short", () => {
  const silent: Fault = { kind: "never-answers", honoursAbort: false };

  test("by the caller: nothing is given, nothing is left, and no later answer makes anything", async () => {
    for (const operation of ["ReEncrypt", "Decrypt", "Encrypt"]) {
      const world = await World.with();
      const services = [...world.services, new KmsService("eu-north-1")];
      const wide = world.side("wide", services);
      for (const service of services) service.faults.set(operation, silent);
      const controller = new AbortController();
      const rejected = rejectsWith(world.rewrap({ keyring: wide.keyring, signal: controller.signal }), "aborted");
      world.time.after(1, () => {
        controller.abort();
      });
      await rejected;
      await world.time.advance(60_000);
      assert.ok(world.isWiped());
      assert.equal(world.time.pending, 0);
    }
  });

  test("by the deadline: what was made is given, the rest is owed", async () => {
    const world = await World.with({ deadlineMs: 1_000, attemptTimeoutMs: 1_000 });
    world.services[2]?.faults.set("*", silent);
    const result = await world.rewrap();
    assert.deepEqual([result.made.length, reasons(result)], [2, ["eu-central-1 timeout"]]);
    assert.ok(world.isWiped());
  });

  test("by the deadline, with nothing made", async () => {
    const world = await World.with({ deadlineMs: 1_000, attemptTimeoutMs: 1_000 });
    for (const service of world.services) service.faults.set("*", silent);
    await rejectsWith(world.rewrap(), "deadline-exceeded");
    await world.time.advance(60_000);
    assert.equal(world.time.pending, 0);
  });
});

describe("options", () => {
  test("what is no option, and sources that are none, are refused before a call", async () => {
    const world = await World.with();
    for (const wrong of [{ sources: [] }, { proof: "some" }, { have: [7] }, { accepts: undefined }, { extra: 1 }])
      await rejectsWith(world.rewrap(wrong as never), "option-invalid");
    assert.deepEqual(world.calls(), []);
  });
});
