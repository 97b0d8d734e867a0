// Makes the fixtures that are no text: workbooks as spreadsheets write them, and a compressed file. Run it where they
// are to change; they lie beside it, so that tests read what a person would have.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { writeXlsx } from "hucre/xlsx";

const folder = fileURLToPath(new URL("people/", import.meta.url));

await writeFile(
  `${folder}members.xlsx`,
  await writeXlsx({
    sheets: [
      {
        name: "Mitglieder",
        rows: [
          ["Nr", "Name", "PLZ", "Geboren", "Aktiv", "Beitrag", "Telefon", "Zuletzt"],
          [
            1,
            "Finn Ost",
            1067,
            new Date("1971-02-03"),
            true,
            12.5,
            "+49 351 0000015",
            new Date("2024-05-06T07:08:09Z"),
          ],
          [2, "Grete Ä.\nzweite Zeile", "01069", null, false, 0, "0351 0000016", null],
        ],
        cells: new Map([["1,2", { value: 1067, style: { numFmt: "00000" } }]]),
      },
      { name: "Listen", rows: [["a"], ["b"]], hidden: true },
    ],
  }),
);
await writeFile(
  `${folder}two-sheets.xlsx`,
  await writeXlsx({
    sheets: [
      {
        name: "2023",
        rows: [
          ["id", "name"],
          ["old", "Old"],
        ],
      },
      { name: "2024", rows: [[], ["id", "name"], [7, "Hal"], [], ["8", "Isa"]] },
    ],
    stringMode: "inline",
  }),
);
await writeFile(
  `${folder}dynamodb-export.json.gz`,
  gzipSync(await readFile(`${folder}dynamodb-export.json`), { level: 9 }),
);
