// Every key spec, usage, algorithm and message type that OpenSSL's command line knows too, both ways.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createKms } from "@strongroom/kms";
import { KMS } from "@aws-sdk/client-kms";
import { KEY_SPECS } from "../src/keys/key-spec.ts";
import type { KeySpec, KeyUsage } from "../src/keys/key-spec.ts";
import { exchange, sharedKey, specLacks } from "../test/openssl-exchange.ts";
import { openssl, opensslLacks } from "../test/openssl.ts";

const specs = (Object.keys(KEY_SPECS) as KeySpec[]).filter((spec) => spec !== "SYMMETRIC_DEFAULT");

test(
  "what is signed, encrypted, agreed, encapsulated or MACed on one side is accepted on the other",
  { skip: opensslLacks(3, 0), timeout: 600_000 },
  async (t) => {
    const ssl = await openssl(t);
    t.diagnostic(ssl.run("version").toString().trim());
    const lacking = specs.filter((spec) => specLacks(spec) !== false);
    const keys = specs
      .filter((spec) => !lacking.includes(spec))
      .flatMap((spec) =>
        (Object.keys(KEY_SPECS[spec].algorithms) as KeyUsage[]).map((usage) => sharedKey(ssl, spec, usage)),
      );
    await using kms = await createKms({ seed: { keys: keys.map((key) => key.seed) } });
    const client = new KMS(kms.clientConfig());
    t.after(() => {
      client.destroy();
    });
    let accepted = 0;
    const skipped: string[] = [...lacking];
    for (const key of keys) {
      const done = await exchange(client, ssl, key);
      assert.ok(done.accepted > 0, key.spec);
      accepted += done.accepted;
      skipped.push(...done.skipped);
    }
    t.diagnostic(
      `${keys.length} keys, ${accepted} times accepted; not known to this OpenSSL: ${skipped.length === 0 ? "none" : [...new Set(skipped)].join(", ")}`,
    );
  },
);
