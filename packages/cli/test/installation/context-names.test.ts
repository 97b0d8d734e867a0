// The policies of the KMS name the pairs of the encryption contexts that the vault makes. They share no code.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { it } from "node:test";
import { type Keyring, rawAesKeyring } from "@strongroom/envelope";
import { openVault, parseAddress, parseSubject, parseVersion, versionContext } from "@strongroom/vault";
import { memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
import { runCommand } from "../support/command.ts";

interface Statement {
  readonly Sid: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Names of the contexts under which a keyring was asked for anything, each set of names once. */
type Asked = Set<string>;

/** A keyring that notes them. */
function noting(asked: Asked): Keyring {
  const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "local", wrappingKey: randomBytes(32) });
  return new Proxy(keyring, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...given: readonly unknown[]): unknown => {
        for (const one of given) {
          const call = one as { readonly encryptionContext?: { readonly pairs: readonly (readonly string[])[] } };
          const names = call.encryptionContext?.pairs.map(([pair = ""]) => pair);
          if (names !== undefined) asked.add(names.sort().join(" "));
        }
        return Reflect.apply(value, target, given);
      };
    },
  });
}

/** What a vault asks its keyring for about one record with further people, in a scope; as sorted names. */
async function namesAsked(scope: "record" | "subject", about: readonly string[]): Promise<readonly string[]> {
  const asked: Asked = new Set();
  const keyring = noting(asked);
  await using vault = await openVault({
    store: memoryStore(),
    keyring,
    keys: { store: memoryKeyStore(), scope },
  });
  await vault.put({ collection: "people", id: "ada" }, {}, { about });
  return [...asked].sort();
}

it("the service's policies are about the encryption contexts of the vault: all of their pairs and no other", async () => {
  const { stdout, stderr } = await runCommand(["kms", "policy", "template", "--for", "service"], { cwd: "/" });
  assert.equal(stderr, "");
  const { Statement } = JSON.parse(stdout) as { Statement: readonly Statement[] };
  const form = (sid: string): { needed: readonly string[]; all: readonly string[] } => {
    const condition = Statement.find(({ Sid }) => Sid === sid)?.Condition ?? {};
    const all = condition["ForAllValues:StringEquals"]?.["kms:EncryptionContextKeys"] as readonly string[];
    const needed = Object.keys(condition["Null"] ?? {}).map((name) => name.replace("kms:EncryptionContext:", ""));
    return { needed: needed.sort(), all: all.toSorted() };
  };
  const address = parseAddress({ collection: "people", id: "ada" });
  const first = Object.keys(
    versionContext({ ...address, subject: parseSubject("s"), version: parseVersion(1) }),
  ).sort();
  assert.deepEqual(form("ServiceUnderContext"), { needed: first, all: first }, "without a key store");

  const alone = await namesAsked("record", []);
  const together = await namesAsked("record", ["bob", "cyd"]);
  const { needed, all } = form("ServiceUnderVaultContext");
  assert.ok(alone.includes(needed.join(" ")), alone.join(" | "));
  assert.ok(together.includes(all.join(" ")), together.join(" | "));

  const key = form("ServiceUnderKeyContext");
  assert.deepEqual(key.needed, key.all);
  // Each KMS key fills its own ARN in; this keyring has none.
  const ofKeys = key.all.filter((name) => name !== "kms-arn").join(" ");
  assert.deepEqual(await namesAsked("subject", ["bob"]), [ofKeys]);
  assert.deepEqual(alone, [ofKeys, needed.join(" ")].sort(), "and nothing under another context");
});
