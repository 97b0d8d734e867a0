import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { collect } from "../support/collect.ts";
import { type Document, LONGEST_LINE } from "../../src/formats/document.ts";
import type { SourceRecord } from "../../src/formats/format.ts";
import { ndjsonLine, readNdjson } from "../../src/formats/ndjson.ts";

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function read(content: string | Uint8Array, chunk = 5): Promise<SourceRecord[]> {
  return collect(readNdjson(chunked(typeof content === "string" ? Buffer.from(content) : content, chunk)));
}

describe("NDJSON", () => {
  it("gives back what was written, however the bytes are cut", async () => {
    const documents = fc.array(
      fc
        .dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true })
        .map((one) => JSON.parse(JSON.stringify(one)) as Document),
    );
    await fc.assert(
      fc.asyncProperty(documents, fc.integer({ min: 1, max: 40 }), async (written, chunk) => {
        const back = await read(written.map(ndjsonLine).join(""), chunk);
        assert.deepEqual(
          back.map((line) => (line.kind === "document" ? line.document : line.reason)),
          written,
        );
      }),
    );
  });

  it("reads Windows line ends, a byte order mark, blank lines and a last line without its end", async () => {
    assert.deepEqual(await read('\uFEFF{"a":1}\r\n\r\n  \n{"a":2}'), [
      { kind: "document", position: 1, document: { a: 1 } },
      { kind: "document", position: 4, document: { a: 2 } },
    ]);
  });

  it("reports what is no JSON object by its line, without its content", async () => {
    const lines = await read(
      Buffer.concat([
        Buffer.from('{"name": secret}\n[1]\n"secret"\n{"n":12345678901234567890}\n{"x":"'),
        Buffer.from([0xff]),
        Buffer.from('"}\n{"ok":1}\n'),
      ]),
    );
    assert.deepEqual(
      lines.map(({ kind, position }) => `${position} ${kind}`),
      ["1 bad", "2 bad", "3 bad", "4 bad", "5 bad", "6 document"],
    );
    for (const line of lines) if (line.kind === "bad") assert.doesNotMatch(line.reason, /secret|123/);
  });

  it("reports a line that is too long without holding it, and reads on", async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      const block = Buffer.alloc(1024 * 1024, 0x20);
      for (let written = 0; written <= LONGEST_LINE; written += block.length) yield block;
      yield Buffer.from('\n{"a":1}\n');
    }
    assert.deepEqual(await collect(readNdjson(endless())), [
      { kind: "bad", position: 1, reason: `longer than ${LONGEST_LINE} bytes` },
      { kind: "document", position: 2, document: { a: 1 } },
    ]);
  });
});
