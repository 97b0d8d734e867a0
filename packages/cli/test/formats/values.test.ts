import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { recordsOf } from "./opened.ts";

describe("truth values of spreadsheets", () => {
  it("come back where a column is marked as such, in the spreadsheet's language, and stay text elsewhere", async () => {
    const words = ["TRUE", "FALSE", "true", "Wahr", "FALSCH", "VRAI", "faux", "VERDADERO", "FALSO", " TRUE "];
    const text = ["id,on:boolean,off", ...words.map((word, n) => `${n},${word},${word}`)].join("\n");
    const [, ...rows] = await recordsOf(text);
    const truth = [true, false, true, true, false, true, false, true, false, true];
    assert.deepEqual(
      rows,
      words.map((word, n) => ({ id: String(n), on: truth[n], off: word })),
    );
  });

  it("are refused where the word is none", async () => {
    for (const word of ["yes", "1", "0", "TRUEE", '"true"', "null"])
      assert.deepEqual(
        (await recordsOf(`id,on:boolean\n1,"${word.replaceAll('"', '""')}"\n`)).slice(1).length,
        1,
        word,
      );
    assert.match(String((await recordsOf("id,on:boolean\n1,yes\n"))[1]), /^2: column 2 /);
  });
});

describe("numbers", () => {
  it("that would come back changed are refused with their field", async () => {
    const number = "12345678901234567890";
    const lines: readonly (readonly [string, string])[] = [
      [`{"id":1,"card":${number}}`, "card"],
      [`{"id":1,"a":{"b.c":[1,{"d":0.1234567890123456789}]}}`, "a.b\\.c.1.d"],
      [`{"id":1,"e":1e999}`, "e"],
      [`{"id":9007199254740993}`, "id"],
      [`{"text":"${number}","n":-${number}}`, "n"],
      [`{"a\\u001b[2J":${number}}`, "a\\u{1b}[2J"],
    ];
    for (const [line, field] of lines) {
      const [, record] = await recordsOf(`${line}\n{"id":2}\n`);
      assert.match(String(record), /^1: The document has a number that would come back changed/);
      assert.ok(String(record).endsWith(`: ${field}`), String(record));
      assert.doesNotMatch(String(record), /123456/);
    }
  });

  it("with leading zeros and a plus are texts, as they stand", async () => {
    assert.deepEqual((await recordsOf("plz,phone,big\n01067,+49 351,12345678901234567890\n")).slice(1), [
      { plz: "01067", phone: "+49 351", big: "12345678901234567890" },
    ]);
    assert.match(String((await recordsOf("id,plz:number\n1,01067\n"))[1]), /^2: column 2 /);
  });
});
