import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { rawAesKeyring } from "@strongroom/envelope";
import { openStatement, openVault, type Vault, type VaultAudit } from "@strongroom/vault";
import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";

async function vaultOf(): Promise<{ readonly vault: Vault; readonly audit: VaultAudit }> {
  const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "local", wrappingKey: randomBytes(32) });
  const keys = { store: memoryKeyStore() };
  const vault = await openVault({ store: memoryStore(), keyring, keys, audit: { log: memoryAuditLog() } });
  return { vault, audit: vault.audit ?? assert.fail() };
}

const FACTS = { key: "arn:aws:kms:eu-west-1:111122223333:key/a", items: 0, stores: ["keys", "records"], at: null };
const REFUSED = { code: "statement-refused" };

describe("a signed statement", () => {
  it("is opened by its verifier key alone, and tells the vault, the kind and the facts", async () => {
    await using opened = await closing(vaultOf());
    const { note, key } = await opened.audit.sign({ kind: "retirement", facts: FACTS });
    const statement = openStatement(note, key);
    assert.deepEqual([statement.kind, statement.facts], ["retirement", FACTS]);
    assert.ok(key.startsWith(`strongroom/${statement.vault}/statements+`));
    const again = await opened.audit.sign({ kind: "retirement", facts: FACTS });
    assert.equal(again.key, key);
  });

  it("is refused with any bit changed, shortened or lengthened", async () => {
    await using opened = await closing(vaultOf());
    const { note, key } = await opened.audit.sign({ kind: "retirement", facts: FACTS });
    const bytes = Buffer.from(note, "utf8");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.throws(() => openStatement(changed.toString("utf8"), key), REFUSED, `bit ${bit}`);
    }
    for (const changed of [note.slice(0, -1), note.slice(1), `${note}\n`, `x${note}`, "", `${note}${note}`])
      assert.throws(() => openStatement(changed, key), REFUSED);
  });

  it("of another vault is refused, and so is a checkpoint of the log", async () => {
    await using opened = await closing(vaultOf());
    await using other = await closing(vaultOf());
    const { note, key } = await opened.audit.sign({ kind: "retirement", facts: FACTS });
    const { key: othersKey } = await other.audit.sign({ kind: "retirement", facts: FACTS });
    assert.throws(() => openStatement(note, othersKey), REFUSED);
    await opened.audit.sequence();
    const checkpoint = (await opened.audit.checkpoint()) ?? assert.fail();
    const { key: checkpointKey } = await opened.audit.status();
    for (const by of [key, checkpointKey]) assert.throws(() => openStatement(checkpoint, by), REFUSED);
    assert.notEqual(checkpointKey.split("+")[2], key.split("+")[2], "two keys");
    for (const by of ["", "x", `${key}=`]) assert.throws(() => openStatement(note, by), REFUSED);
  });

  it("is in the audit before it is given, by a hash of its bytes", async () => {
    await using opened = await closing(vaultOf());
    const { note } = await opened.audit.sign({ kind: "retirement", facts: FACTS });
    const { events } = await opened.audit.events({ action: "statement" });
    const hash = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(note, "utf8"))).toString("base64url");
    assert.deepEqual(
      events.map(({ details }) => details),
      [{ kind: "retirement", sha256: hash }],
    );
  });

  it("has a kind of its form, and no control characters", async () => {
    await using opened = await closing(vaultOf());
    const invalid = { code: "vault-option-invalid" };
    for (const kind of ["", "A", "a b", "x".repeat(65)])
      await assert.rejects(opened.audit.sign({ kind, facts: {} }), invalid);
    const { note, key } = await opened.audit.sign({ kind: "a", facts: { text: "line\nand \u0001 control" } });
    assert.deepEqual(openStatement(note, key).facts, { text: "line\nand \u0001 control" }, "escaped by JSON");
  });
});

async function closing(opening: ReturnType<typeof vaultOf>): Promise<Awaited<typeof opening> & AsyncDisposable> {
  const opened = await opening;
  return { ...opened, [Symbol.asyncDispose]: () => opened.vault.close() };
}
