import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { compressionOf, decompressed } from "../../src/formats/compression.ts";
import { collect } from "../support/collect.ts";

const PACK = { gzip: gzipSync, zstd: zstdCompressSync } as const;

/** A frame that holds nothing to be unpacked (RFC 8878, section 3.1.2). */
const SKIPPED = Buffer.from("502a4d18020000000102", "hex");

async function unpacked(bytes: Buffer, size: number): Promise<Buffer> {
  const chunks = (async function* (): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
  })();
  const compression = compressionOf(bytes);
  assert.ok(compression !== null);
  return Buffer.concat(await collect(decompressed(chunks, compression)));
}

describe("a compressed file", () => {
  // What does not shrink, what shrinks to nearly nothing, and nothing.
  const parts = [Buffer.from("id,name\n"), randomBytes(3000), Buffer.alloc(300_000, "1,Ada\n"), Buffer.alloc(0)];
  for (const [name, pack] of Object.entries(PACK))
    it(`of ${name} may be several that stand one after another, and nothing of any is lost`, async () => {
      const packed = Buffer.concat([...parts, ...parts].map((part) => pack(part)));
      for (const size of [1, 7, 1000, packed.length])
        assert.ok((await unpacked(packed, size)).equals(Buffer.concat([...parts, ...parts])), `in pieces of ${size}`);
    });

  it("may have frames of zstd that are to be skipped", async () => {
    const packed = Buffer.concat([zstdCompressSync("one"), SKIPPED, SKIPPED, zstdCompressSync("two"), SKIPPED]);
    for (const size of [1, 7, packed.length]) assert.equal(String(await unpacked(packed, size)), "onetwo");
  });

  it("is refused where something else stands behind it, or its last part is cut off", async () => {
    for (const pack of Object.values(PACK)) {
      const whole = Buffer.concat([pack("one"), pack("two")]);
      for (const bytes of [Buffer.concat([whole, Buffer.from("garbage")]), whole.subarray(0, -5)])
        for (const size of [1, 7, bytes.length])
          await assert.rejects(unpacked(bytes, size), { code: "input-invalid", detail: /damaged or cut off/ });
    }
  });
});
