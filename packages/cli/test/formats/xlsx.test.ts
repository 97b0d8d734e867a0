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

  /** What is read of a column, a cell a row. */
  const column = async (
    cells: readonly (readonly [value: number, format: string])[],
    dateSystem: "1900" | "1904" = "1900",
  ): Promise<readonly unknown[]> => {
    const bytes = await writeXlsx({
      sheets: [
        {
          name: "a",
          rows: [["v"], ...cells.map(([value]) => [value])],
          cells: new Map(cells.map(([value, numFmt], index) => at(`${index + 1},0`, { value, style: { numFmt } }))),
        },
      ],
      dateSystem,
    });
    const [, ...records] = await recordsOf(bytes);
    return records.map((record) => (typeof record === "string" ? record : (record as { readonly v: unknown }).v));
  };

  it("keeps leading zeros also between what a format adds, and no zero that a format does not show", async () => {
    assert.deepEqual(
      await column([
        [1067, '"D-"00000'],
        [1067, "\\D\\-00000"],
        [12345678, "000\\-00\\-0000"],
        [12345678, "000-00-0000"],
        [10671234, "00000\\-0000"],
        [1234567, "00 00"],
        [7, "00000;-00000"],
        [1067, "[Red]00000"],
        [7, "[>9]00000;0"],
        [351, '"+49" 0'],
        [1234.5, "00000"],
        [5, "0.00"],
        [5, "0"],
        [-7, "00000"],
      ]),
      [
        "D-01067",
        "D-01067",
        "012-34-5678",
        "012-34-5678",
        "01067-1234",
        "12345 67",
        "00007",
        "01067",
        7,
        351,
        1234.5,
        5,
        5,
        -7,
      ],
    );
  });

  it("refuses every whole number of more than 15 digits, also those that a double would hold", async () => {
    const cut = "column A (v) is a number of more than 15 digits, of which the spreadsheet keeps 15: make it text";
    assert.deepEqual(
      await column([
        [999_999_999_999_999, "0"],
        [4_111_111_111_111_110, "0"],
        [4_111_111_111_111_110, "0000000000000000"],
        [-4_111_111_111_111_110, "General"],
      ]),
      [999_999_999_999_999, `3: ${cut}`, `4: ${cut}`, `5: ${cut}`],
    );
  });

  it("tells a length of time from a time of day and from a date, in both date systems", async () => {
    assert.deepEqual(
      await column([
        [1.5, "[h]:mm"],
        [1.5, "[h]:mm:ss"],
        [0.25, "[hh]:mm"],
        [100.25, "[h]:mm"],
        [60, "[h]:mm"],
        [0.25, "h:mm"],
        [1, "yyyy-mm-dd"],
        [-1, "yyyy-mm-dd"],
      ]),
      [
        "36:00:00",
        "36:00:00",
        "06:00:00",
        "2406:00:00",
        "6: column A (v) is a length of time of 59 or 60 days: make it text",
        "06:00:00",
        "1900-01-01",
        "9: column A (v) is before the first day that a spreadsheet counts: make it text",
      ],
    );
    assert.deepEqual(
      await column(
        [
          [1.5, "[h]:mm"],
          [100.25, "[h]:mm"],
          [0.25, "h:mm"],
          [0, "yyyy-mm-dd"],
          [0.25, "yyyy-mm-dd hh:mm"],
        ],
        "1904",
      ),
      ["36:00:00", "2406:00:00", "06:00:00", "1904-01-01", "1904-01-01T06:00:00"],
    );
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
