// The policies of the KMS name the pairs of a record's encryption context; the vault makes it. They share no code.
import assert from "node:assert/strict";
import { it } from "node:test";
import { parseAddress, parseSubject, parseVersion, versionContext } from "@strongroom/vault";
import { runCommand } from "../support/command.ts";

it("the service's policies are about the encryption context of records, all of its pairs and no other", async () => {
  const address = parseAddress({ collection: "people", id: "ada" });
  const names = Object.keys(versionContext({ ...address, subject: parseSubject("s"), version: parseVersion(1) }));
  const { stdout, stderr } = await runCommand(["kms", "policy", "template", "--for", "service"], { cwd: "/" });
  assert.equal(stderr, "");
  interface Statement {
    readonly Sid: string;
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  }
  const { Statement } = JSON.parse(stdout) as { Statement: readonly Statement[] };
  const condition = Statement.find(({ Sid }) => Sid === "ServiceUnderContext")?.Condition ?? {};
  assert.deepEqual(condition["ForAllValues:StringEquals"], { "kms:EncryptionContextKeys": names });
  assert.deepEqual(
    condition["Null"],
    Object.fromEntries(names.map((name) => [`kms:EncryptionContext:${name}`, "false"])),
  );
});
