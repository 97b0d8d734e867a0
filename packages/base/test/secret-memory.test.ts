import assert from "node:assert/strict";
import { test } from "node:test";
import { secretConcat, secretText } from "@strongroom/base/secret-memory";

const SECRETS: Readonly<Record<string, () => Buffer>> = {
  hex: () => secretText("00ff10", "hex"),
  base64: () => secretText("AP8Q", "base64"),
  "base64 with padding": () => secretText("AP8=", "base64"),
  base64url: () => secretText("AP8Q", "base64url"),
  utf8: () => secretText("\u00e4b", "utf8"),
  parts: () => secretConcat([Buffer.of(0, 255), Buffer.of(16)]),
};

for (const [name, make] of Object.entries(SECRETS)) {
  test(`${name}: nothing else lies in its memory`, () => {
    const secret = make();
    assert.ok(secret.buffer.byteLength <= secret.length + 2, String(secret.buffer.byteLength));
    assert.notEqual(secret.buffer, Buffer.from("pooled").buffer);
  });
}

test("they read as Node's own", () => {
  assert.deepEqual(SECRETS["hex"]?.(), Buffer.from("00ff10", "hex"));
  assert.deepEqual(SECRETS["base64"]?.(), Buffer.from("AP8Q", "base64"));
  assert.deepEqual(SECRETS["base64 with padding"]?.(), Buffer.from("AP8=", "base64"));
  assert.deepEqual(SECRETS["utf8"]?.(), Buffer.from("\u00e4b"));
  assert.deepEqual(SECRETS["parts"]?.(), Buffer.of(0, 255, 16));
});
