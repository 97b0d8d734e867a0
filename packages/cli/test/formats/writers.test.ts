import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { collect } from "../support/collect.ts";
import { openSpool } from "../../src/formats/writers.ts";

describe("spool", () => {
  it("gives the documents back in order, and has no name and no readable byte on the disk meanwhile", async () => {
    const folder = await mkdtemp(join(tmpdir(), "strongroom-spool-"));
    try {
      const spool = await openSpool(folder);
      const written = Array.from({ length: 500 }, (_, index) => ({ name: `Ada ${index} 🦊`, pad: "x".repeat(index) }));
      for (const document of written) await spool.add(`${JSON.stringify(document)}\n`);
      assert.deepEqual(await readdir(folder), []);
      const open = (await readdir("/proc/self/fd")).map((fd) => `/proc/self/fd/${fd}`);
      const contents = await Promise.all(open.map((path) => readSpoolBytes(path, folder)));
      assert.ok(contents.some((bytes) => bytes.length > 100_000));
      assert.ok(contents.every((bytes) => !bytes.includes("Ada ")));
      assert.deepEqual(await collect(spool.documents()), written);
      await spool.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** The bytes behind one of this process's descriptors, if it is a file that was in the folder. */
async function readSpoolBytes(path: string, folder: string): Promise<Buffer> {
  const { readlink } = await import("node:fs/promises");
  const target = await readlink(path).catch(() => "");
  return target.startsWith(folder) ? readFile(path) : Buffer.alloc(0);
}
