import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Cell, WriteSheet } from "hucre";
import { writeXlsx } from "hucre/xlsx";
import { opened, recordsOf } from "./opened.ts";

const workbook = (...sheets: readonly WriteSheet[]): Promise<Uint8Array> => writeXlsx({ sheets: [...sheets] });

const refused = (bytes: Uint8Array, detail: RegExp): Promise<void> =>
  assert.rejects(opened(bytes, {}, 4096), { code: "input-invalid", detail });

/** A cell's number format, or what it holds. */
const at = (place: string, cell: Partial<Cell>): [string, Partial<Cell>] => [place, cell];

describe("xlsx", () => {
  it("reads numbers, truth values, dates, times and texts under the first row that is filled", async () => {
    const bytes = await workbook({
      name: "People",
      rows: [
        [null],
        ["PLZ", "Name", "Born", "Member", "Seen", "At", "Tel.", "Share", null],
        [1067, " Ada\nL. ", new Date("1990-02-03"), true, new Date("2020-02-03T04:05:06Z"), 0.25, "+4930", 1.5],
        [null],
        ["01067", "", null, false, null, null, null, 0],
      ],
      cells: new Map([
        at("2,0", { value: 1067, style: { numFmt: "00000" } }),
        at("2,5", { value: 0.25, style: { numFmt: "h:mm" } }),
      ]),
    });
    assert.deepEqual(await recordsOf(bytes), [
      "xlsx",
      {
        PLZ: "01067",
        Name: " Ada\nL. ",
        Born: "1990-02-03",
        Member: true,
        Seen: "2020-02-03T04:05:06",
        At: "06:00:00",
        "Tel.": "+4930",
        Share: 1.5,
      },
      { PLZ: "01067", Member: false, Share: 0 },
    ]);
  });

  it("refuses a row with a number that the spreadsheet has cut, or an error, by its column", async () => {
    const bytes = await workbook({
      name: "People",
      rows: [
        ["id", "card"],
        [1, 12345678901234567890],
        [2, null],
        [3, "#N/A"],
        [4, null],
        [5, 45000],
      ],
      cells: new Map([
        at("3,1", { value: "#N/A", type: "error" }),
        at("4,1", { value: null, formula: "NOW()" }),
        at("5,1", { value: 45000, formula: "TODAY()", formulaResult: 45000, style: { numFmt: "yyyy-mm-dd" } }),
      ]),
    });
    assert.deepEqual(await recordsOf(bytes), [
      "xlsx",
      "2: column B (card) is a number of more than 15 digits, of which the spreadsheet keeps 15: make it text",
      { id: 2 },
      "4: column B (card) holds an error of the spreadsheet",
      "5: column B (card) holds a formula without its result: open the workbook and save it",
      { id: 5, card: "2023-03-15" },
    ]);
  });

  it("takes the only sheet that has rows, or the one that is named", async () => {
    const people = { name: "People", rows: [["id"], ["1"]] };
    const empty = { name: "Notes", rows: [] };
    const hidden = { name: "Lists", rows: [["x"], ["y"]], hidden: true };
    assert.deepEqual(await recordsOf(await workbook(empty, people, hidden)), ["xlsx", { id: "1" }]);
    const two = await workbook(people, { name: "Old", rows: [["id"], ["2"]] });
    await refused(two, /several sheets with rows: "People", "Old"/);
    assert.deepEqual(await recordsOf(two, { sheet: "Old" }), ["xlsx", { id: "2" }]);
    await assert.rejects(
      recordsOf(two, { sheet: "old" }),
      /There is no sheet of that name; there are: "People", "Old"/,
    );
    await refused(await workbook(empty), /no sheet with rows/);
  });

  it("refuses headings that are missing or there twice", async () => {
    await refused(
      await workbook({
        name: "a",
        rows: [
          ["id", null],
          ["1", "x"],
        ],
      }),
      /Column B has cells and no heading/,
    );
    await refused(await workbook({ name: "a", rows: [["id", "Tel", "Tel"]] }), /Columns B and C have the same heading/);
  });

  it("refuses a file that unfolds to more than it says, that says too much, or that is cut", async () => {
    const bytes = Buffer.from(await workbook({ name: "a", rows: Array.from({ length: 500 }, (_, n) => [`n${n}`, n]) }));
    const entries = directory(bytes);
    const changed = (size: number): Buffer => {
      const copy = Buffer.from(bytes);
      for (const entry of entries) copy.writeUInt32LE(size, entry + 24);
      return copy;
    };
    await refused(changed(10), /cannot be read/);
    await refused(changed(0), /unfolds to more than/);
    await refused(changed(500_000_000), /unfolds to more than/);
    await refused(bytes.subarray(0, -40), /not a whole one/);
  });
});

/** Where the entries of a zip's directory begin. */
function directory(bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf("PK\x01\x02", 0, "latin1"); at !== -1; at = bytes.indexOf("PK\x01\x02", at + 4, "latin1"))
    found.push(at);
  return found;
}
