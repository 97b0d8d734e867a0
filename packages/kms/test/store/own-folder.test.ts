import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createKms, KmsError, rekey } from "@strongroom/kms";

const FILES = ["kms.sqlite", "root.key", "credentials.json", "kms.lock"];

describe("the KMS's folder is refused", () => {
  for (const file of FILES)
    it(`when others may change ${file}, when it is another's, and when it is a link`, async (t) => {
      const outside = mkdtempSync(join(tmpdir(), "kms-"));
      t.after(() => {
        rmSync(outside, { recursive: true });
      });
      const dataDir = join(outside, "kms");
      const regions = [{ name: "eu-west-1", port: 0 }];
      const start = async (): Promise<void> => (await createKms({ dataDir, regions })).close();
      await start();
      const path = join(dataDir, file);
      const rootKey = { kind: "file", path: join(dataDir, "root.key") } as const;
      const uses = [start, () => rekey({ dataDir, from: rootKey, to: rootKey })];
      const refused = async (says: RegExp): Promise<void> => {
        for (const use of uses)
          await assert.rejects(use(), (error) => {
            assert.ok(error instanceof KmsError, String(error));
            assert.equal(error.code, "file-permissions");
            assert.match(error.detail, says);
            return true;
          });
      };
      for (const mode of [0o620, 0o602, 0o666]) {
        chmodSync(path, mode);
        await refused(/lets others change it/);
      }
      chmodSync(path, 0o600);
      chmodSync(outside, 0o777);
      await refused(/put another in its place/);
      chmodSync(outside, 0o700);
      if (process.geteuid?.() === 0) {
        chownSync(path, 65_534, 65_534);
        await refused(/another user/);
        chownSync(path, 0, 0);
      }
      renameSync(path, join(outside, "elsewhere"));
      symlinkSync(join(outside, "elsewhere"), path);
      await refused(/is a link/);
      unlinkSync(path);
      renameSync(join(outside, "elsewhere"), path);
      await start();
    });
});
