// What a certificate says of backups hangs on where the two stores lie, however their URLs are written.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { erasureOptions } from "../../src/installation/ledger-copy.ts";

const SERVER = "postgres://app@db.example/records?sslmode=verify-full";

for (const [store, keyStore, expected] of [
  [undefined, undefined, "together"],
  [SERVER, undefined, "together"],
  [SERVER, "postgres://keys@db.example:5432/keys?sslmode=verify-full", "together"],
  [SERVER, "postgres://keys@DB.example/keys?sslmode=verify-full", "together"],
  [SERVER, "postgres://keys@db.example:5433/keys?sslmode=verify-full", "apart"],
  [SERVER, "postgres://keys@keys.example/keys?sslmode=verify-full", "apart"],
  ["postgres://app@/records?host=/run/one", "postgres://keys@/keys?host=/run/one", "together"],
  ["postgres://app@/records?host=/run/one", "postgres://keys@/keys?host=/run/two", "apart"],
] as const)
  test(`a backup has both, or not: ${store ?? "a file"} and ${keyStore ?? "none of its own"}`, async () => {
    const { config } = await loadConfig({
      cwd: "/",
      env: {
        ...(store === undefined ? {} : { STRONGROOM_STORE: store }),
        ...(keyStore === undefined ? {} : { STRONGROOM_KEY_STORE: keyStore }),
      },
    });
    assert.equal(erasureOptions(config, []).backups, expected);
  });
