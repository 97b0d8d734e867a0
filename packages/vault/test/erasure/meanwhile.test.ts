/** Who is erased in the middle of another process' call: it is answered as such, not as if a row had been lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isVaultError } from "@strongroom/vault";
import type { KeyStore, Vault } from "@strongroom/vault";
import { auditedVault } from "../support/audited-vault.ts";
import { overlaid } from "../support/store-with.ts";
import { erasureOf } from "./support/erasing.ts";

const ADA = "ada@example.com";
const at = { collection: "people", id: "1" };

/** What the other process asks, and the look into the key store before which the person goes. */
const CALLS: readonly {
  readonly call: string;
  readonly before: "names" | "version";
  readonly work: (vault: Vault) => Promise<unknown>;
}[] = [
  { call: "a put", before: "names", work: (vault) => vault.put({ ...at, id: "2" }, { n: 2 }, { subject: ADA }) },
  { call: "a get", before: "version", work: (vault) => vault.get(at) },
  { call: "a get", before: "names", work: (vault) => vault.get(at) },
];

for (const { call, before, work } of CALLS)
  test(`${call} whose person is erased before it asks for ${before}`, async (t) => {
    const { vault, keyStore, another } = await auditedVault(t);
    await vault.put(at, { n: 1 }, { subject: ADA });
    // Not while it is opened.
    let times = -1;
    const late = async <Result>(ask: () => Promise<Result>): Promise<Result> => {
      if (times >= 0 && times++ === 0)
        assert.equal((await erasureOf(vault).erase(ADA, { reason: "art-17" })).state, "erased");
      return ask();
    };
    const { keys } = keyStore;
    const own: Partial<KeyStore["keys"]> = {
      names: (ids) => (before === "names" ? late(() => keys.names(ids)) : keys.names(ids)),
      version: (owner, id) => (before === "version" ? late(() => keys.version(owner, id)) : keys.version(owner, id)),
    };
    const other = await another({ keys: { store: overlaid(keyStore, { keys: overlaid(keys, own) }) } });
    times = 0;
    const failure = await work(other).then(
      () => null,
      (error: unknown) => error,
    );
    assert.ok(times > 0, "it asked");
    assert.ok(isVaultError(failure), String(failure));
    assert.equal(failure.code, "subject-erased");
  });
