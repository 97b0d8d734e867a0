import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Kms } from "@strongroom/kms";
import { CliError } from "../../src/errors.ts";
import { ensureRegionKeys } from "../../src/installation/region-keys.ts";
import {
  allowWrapping,
  DENY_STATEMENT,
  denyWrapping,
  disable,
  enable,
  isDenied,
  keyState,
  lastUsage,
  type RetiredKey,
  scheduleDeletion,
  wrappingState,
} from "../../src/retire/kms-side.ts";
import { temporaryFolder } from "../support/installation.ts";
import { kmsRegions } from "../support/kms-regions.ts";

const REGION = "eu-west-1";

describe("what a retirement asks of a KMS", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let kms: Kms;
  let key: RetiredKey;
  let root: RetiredKey["operator"];

  before(async () => {
    folder = await temporaryFolder();
    const regional = await kmsRegions(join(folder.path, "kms"), [REGION], { strongroomUsers: "made" });
    kms = regional.kms;
    const clientOf = (file: string): ReturnType<typeof regional.clientOf> => regional.clientOf(REGION, file);
    const [operator, service] = [
      await clientOf("operator-credentials.json"),
      await clientOf("service-credentials.json"),
    ];
    root = await clientOf("credentials.json");
    const { keys } = await ensureRegionKeys(join(folder.path, "keys.json"), [{ region: REGION, client: operator }]);
    key = { keyArn: keys[REGION] ?? "", operator, service };
  });
  after(async () => {
    await kms.close();
    await folder[Symbol.asyncDispose]();
  });

  const context = { "branch-key-id": "a", "create-time": "b", "hierarchy-version": "1", tablename: "c", type: "d" };
  const encrypt = (): Promise<string> => {
    const EncryptionContext = { ...context, "kms-arn": key.keyArn };
    return key.service
      .encrypt({ KeyId: key.keyArn, Plaintext: Buffer.from("x"), EncryptionContext })
      .then(() => "done")
      .catch((error: unknown) => (error instanceof Error ? error.name : ""));
  };

  it("denies wrapping to everybody, also to the account's root, and leaves opening alone", async () => {
    assert.equal(await wrappingState(key), "allowed");
    const EncryptionContext = { ...context, "kms-arn": key.keyArn };
    const { CiphertextBlob } = await key.service.encrypt({
      KeyId: key.keyArn,
      Plaintext: Buffer.from("x"),
      EncryptionContext,
    });
    assert.equal(await isDenied(key), false);
    await denyWrapping(key);
    await denyWrapping(key);
    assert.equal(await isDenied(key), true);
    assert.equal(await wrappingState(key), "denied");
    assert.equal(await encrypt(), "AccessDeniedException");
    await assert.rejects(root.encrypt({ KeyId: key.keyArn, Plaintext: Buffer.from("x") }), {
      name: "AccessDeniedException",
    });
    for (const call of [
      key.service.generateDataKey({ KeyId: key.keyArn, NumberOfBytes: 32, EncryptionContext }),
      root.reEncrypt({
        CiphertextBlob,
        SourceEncryptionContext: EncryptionContext,
        DestinationKeyId: key.keyArn,
        DestinationEncryptionContext: EncryptionContext,
      }),
    ])
      await assert.rejects(call, { name: "AccessDeniedException" });
    const opened = await key.service.decrypt({ KeyId: key.keyArn, CiphertextBlob, EncryptionContext });
    assert.equal(Buffer.from(opened.Plaintext ?? []).toString(), "x");
    const { Policy = "" } = await key.operator.getKeyPolicy({ KeyId: key.keyArn, PolicyName: "default" });
    const { Statement } = JSON.parse(Policy) as { readonly Statement: readonly unknown[] };
    assert.deepEqual(Statement.at(-1), DENY_STATEMENT);
    assert.equal(Statement.filter((one) => JSON.stringify(one) === JSON.stringify(DENY_STATEMENT)).length, 1);
    await allowWrapping(key);
    await allowWrapping(key);
    assert.equal(await encrypt(), "done");
  });

  it("tells when it was last used, in the KMS's own words", async () => {
    const { last, since } = await lastUsage(key);
    assert.equal(last?.operation, "Encrypt");
    assert.ok(since !== null && since <= last.at);
    assert.match(last.requestId ?? "", /^[0-9a-f-]{36}$/);
  });

  it("disables and enables, as often as it is asked", async () => {
    assert.equal((await disable(key)).state, "Disabled");
    assert.equal((await disable(key)).state, "Disabled");
    assert.equal(await wrappingState(key), "denied");
    assert.equal(await encrypt(), "DisabledException");
    assert.equal((await enable(key)).state, "Enabled");
    assert.equal((await enable(key)).state, "Enabled");
    assert.equal(await encrypt(), "done");
  });

  it("is refused a deletion where it is done by who may not delete", async () => {
    const isRefused = (error: unknown): boolean =>
      error instanceof CliError && error.code === "key-not-retired" && (error.detail ?? "").includes("AccessDenied");
    await assert.rejects(scheduleDeletion(key, key.operator, 30), isRefused);
    const after = await scheduleDeletion(key, root, 7);
    assert.equal(after.state, "PendingDeletion");
    assert.ok(after.deletionAt !== null);
    assert.equal((await keyState(key)).state, "PendingDeletion");
    assert.equal(await wrappingState(key), "denied");
  });

  it("says who refused what, and nothing else", async () => {
    await assert.rejects(denyWrapping({ ...key, operator: key.service }), (error) => {
      assert.ok(error instanceof CliError);
      assert.equal(error.detail, "The KMS refused GetKeyPolicy and PutKeyPolicy: AccessDeniedException.");
      return error.code === "key-not-retired";
    });
  });
});
