import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { recordsOf } from "./opened.ts";

const card = (version: string, ...lines: readonly string[]): string =>
  ["BEGIN:VCARD", `VERSION:${version}`, ...lines, "END:VCARD", ""].join("\r\n");

describe("vCard", () => {
  it("reads a card of version 3.0 with folded lines, groups, types and escapes", async () => {
    const text = card(
      "3.0",
      "N:Lovelace;Ada;King,Noel;Countess;",
      "FN:Ada Love",
      " lace",
      "item1.EMAIL;type=INTERNET;type=pref:ada@example.org",
      "item1.X-ABLabel:_$!<Home>!$_",
      "TEL;TYPE=CELL,VOICE:+49 30 123",
      "ADR;TYPE=HOME:;;12 St\\, James Sq.;London;;01067;UK",
      "NOTE:one\\ntwo\\, three\\; four \\\\n",
      "URL:http\\://example.org",
      "ORG:Acme\\, Inc.;R&D",
      "CATEGORIES:a,b\\,c",
      "BDAY:1815-12-10",
      "PHOTO;ENCODING=b;TYPE=JPEG:QUJD",
      "  REVG",
      "UID:urn:uuid:1",
    );
    assert.deepEqual(await recordsOf(text), [
      "vcard",
      {
        version: "3.0",
        n: { family: "Lovelace", given: "Ada", additional: ["King", "Noel"], prefix: "Countess" },
        fn: "Ada Lovelace",
        email: [{ value: "ada@example.org", type: ["internet", "pref"], group: "item1" }],
        "x-ablabel": [{ value: "_$!<Home>!$_", group: "item1" }],
        tel: [{ value: "+49 30 123", type: ["cell", "voice"] }],
        adr: [
          {
            value: { street: "12 St, James Sq.", locality: "London", postcode: "01067", country: "UK" },
            type: ["home"],
          },
        ],
        note: [{ value: "one\ntwo, three; four \\n" }],
        url: [{ value: "http://example.org" }],
        org: [{ value: ["Acme, Inc.", "R&D"] }],
        categories: [{ value: ["a", "b,c"] }],
        bday: "1815-12-10",
        photo: [{ value: "QUJDREVG", type: ["jpeg"], encoding: "base64" }],
        uid: "urn:uuid:1",
      },
    ]);
  });

  it("reads 4.0: parameters in quotes, a name in two languages, a birthday that is no date", async () => {
    const text = card(
      "4.0",
      "FN;LANGUAGE=en:Ada",
      "FN;LANGUAGE=de:Adda",
      "GENDER:F;it's",
      'TEL;VALUE=uri;TYPE="cell,voice":tel:+49-30-123',
      "BDAY;VALUE=text:circa 1815",
      'ADR;LABEL="a:b;c":;;Street;;;;',
      "X-P;X-Q=^n:x",
    );
    assert.deepEqual(await recordsOf(text), [
      "vcard",
      {
        version: "4.0",
        fn: [
          { value: "Ada", language: "en" },
          { value: "Adda", language: "de" },
        ],
        gender: { sex: "F", text: "it's" },
        tel: [{ value: "tel:+49-30-123", type: ["cell", "voice"] }],
        bday: "circa 1815",
        adr: [{ value: { street: "Street" }, label: "a:b;c" }],
        "x-p": [{ value: "x", "x-q": "\n" }],
      },
    ]);
  });

  it("reads 2.1: quoted-printable in its character set, soft line breaks, words without a name", async () => {
    const text = card(
      "2.1",
      "N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;J=F6rg",
      "FN;CHARSET=UTF-8;QUOTED-PRINTABLE:J=C3=B6rg M=C3=",
      "=BCller",
      "TEL;CELL:+49",
      "TEL;HOME;VOICE:01067",
      "NOTE;ENCODING=QUOTED-PRINTABLE:one=0D=0Atwo=3B three",
      "X-PATH:C:\\new",
      "PHOTO;JPEG;BASE64:QUJD",
      " REVG",
      "",
    );
    assert.deepEqual(await recordsOf(text), [
      "vcard",
      {
        version: "2.1",
        n: { family: "Müller", given: "Jörg" },
        fn: "Jörg Müller",
        tel: [
          { value: "+49", type: ["cell"] },
          { value: "01067", type: ["home", "voice"] },
        ],
        note: [{ value: "one\ntwo; three" }],
        "x-path": [{ value: "C:\\new" }],
        photo: [{ value: "QUJDREVG", type: ["jpeg"], encoding: "base64" }],
      },
    ]);
  });

  it("loses one card where its end is missing, and none of those behind it", async () => {
    const cut = card("3.0", "FN:cut").replace("END:VCARD\r\n", "");
    const agent = "AGENT:\r\nBEGIN:VCARD\r\nVERSION:2.1\r\nFN:agent\r\nEND:VCARD";
    const text = card("3.0", "FN:one") + cut + card("3.0", "FN:two") + card("2.1", agent) + card("3.0", "FN:three");
    assert.deepEqual(await recordsOf(text), [
      "vcard",
      { version: "3.0", fn: "one" },
      "5: the card is cut off: its END:VCARD is missing",
      { version: "3.0", fn: "two" },
      "12: its property 3 is not understood",
      { version: "3.0", fn: "three" },
    ]);
  });

  it("refuses a parameter that is there twice with two values, of which one would be lost", async () => {
    assert.deepEqual(
      await recordsOf(
        card("3.0", "TEL;CHARSET=UTF-8;TYPE=HOME;CHARSET=utf-8;TYPE=VOICE;X-A=1;X-A=1:1") +
          card("3.0", "TEL;X-A=1;x-a=secret:1") +
          card("3.0", "FN:a"),
      ),
      [
        "vcard",
        { version: "3.0", tel: [{ value: "1", type: ["home", "voice"], "x-a": "1" }] },
        "5: its property 2 has the same parameter twice",
        { version: "3.0", fn: "a" },
      ],
    );
  });

  it("names a card that it cannot read by its line, without its content, and reads the others", async () => {
    const text = [
      "\n",
      card("3.0", "FN:one"),
      card("3.0", "this secret is no line"),
      card("3.0", 'NOTE;X="secret:open'),
      card("2.1", "FN;CHARSET=KLINGON;ENCODING=QUOTED-PRINTABLE:=AA"),
      card("2.1", "FN;ENCODING=QUOTED-PRINTABLE:=FF"),
      card("3.0", "AGENT:", "BEGIN:VCARD", "FN:inner", "END:VCARD"),
      "secret outside\r\n",
      card("3.0", "constructor:a", "FN:two"),
      "BEGIN:VCARD\r\nFN:cut",
    ].join("");
    const expected: readonly unknown[] = [
      "vcard",
      { version: "3.0", fn: "one" },
      "6: its property 2 is not understood",
      "10: its property 2 is not understood",
      "14: its property 2 has a character set that is not known",
      "18: its property 2 holds bytes that are not of its character set",
      "22: its property 3 is not understood",
      "29: stands outside of a card",
      { version: "3.0", constructor: [{ value: "a" }], fn: "two" },
      "35: the card is cut off: its END:VCARD is missing",
    ];
    assert.deepEqual(await recordsOf(text), expected);
  });

  it("puts a line of very many pieces together in time that grows as the line does", async () => {
    const text = card("3.0", "PHOTO;ENCODING=b:AAAA", ...Array.from({ length: 60_000 }, () => ` ${"A".repeat(72)}`));
    const [, document] = (await recordsOf(Buffer.from(text))) as [string, { photo: [{ value: string }] }];
    assert.equal(document.photo[0].value.length, 4 + 60_000 * 72);
  });
});
