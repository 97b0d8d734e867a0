import assert from "node:assert/strict";
import { test } from "node:test";
import { loadKmsSettings } from "@strongroom/kms/command";

test("the program of a root key is where the person is who named it", () => {
  const rootKey = (command: string): unknown =>
    loadKmsSettings({ cwd: "/srv", env: { STRONGROOM_ROOT_KEY_COMMAND: command }, file: undefined, flags: [] }).rootKey;
  assert.deepEqual(rootKey("./print-key --slot 3"), { kind: "command", command: "/srv/print-key --slot 3" });
  assert.deepEqual(rootKey("/opt/print-key"), { kind: "command", command: "/opt/print-key" });
  assert.deepEqual(rootKey("pass show kms"), { kind: "command", command: "pass show kms" });
});
