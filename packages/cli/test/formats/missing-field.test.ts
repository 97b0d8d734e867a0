import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CliError } from "../../src/errors.ts";
import { requireField, resolveField } from "../../src/formats/missing-field.ts";
import { collect } from "../support/collect.ts";
import { openFile } from "../support/formats.ts";

async function positions(file: string, id: string): Promise<string[]> {
  const { columns, records } = await openFile(file, { idField: null });
  const found = await collect(requireField(records, resolveField("id", id, columns)));
  return found.map(({ kind, position }) => `${position} ${kind}`);
}

describe("a field that a person named", () => {
  const there: readonly (readonly [what: string, file: string, id: string, positions: readonly string[]])[] = [
    ["a column", "id,name\n1,Ada\n", "id", ["2 document"]],
    ["a column with a dot in its heading", "E.mail,name\na,Ada\n", "E.mail", ["2 document"]],
    ["a column of Strongroom's notation", "a.b:text,name\nx,Ada\n", "a.b", ["2 document"]],
    ["a member of a column of JSON", 'person:json,name\n"{""id"":""7""}",Ada\n', "person.id", ["2 document"]],
    ["an empty cell before the first that has it", "id,name\n,Zoë\n1,Ada\n", "id", ["2 bad", "3 document"]],
    ["a field of some records", '{"a":1}\n{"id":"1"}\n{"b":1}\n', "id", ["1 bad", "2 document", "3 document"]],
    ["a field that holds no text", '{"id":[1]}\n{"id":"1"}\n', "id", ["1 document", "2 document"]],
    ["nothing but bad records", '{"x"}\n{"y"}\n', "id", ["1 bad", "2 bad"]],
    ["a heading alone", "id,name\n", "id", []],
  ];
  for (const [what, file, id, expected] of there) {
    it(`is found in a file with ${what}`, async () => {
      assert.deepEqual(await positions(file, id), expected);
    });
  }

  const absent: readonly (readonly [what: string, file: string, id: string, says: RegExp])[] = [
    ["a column", "id,name\n1,Ada\n", "nr", /no column "nr"\. --id must name one of: "id", "name"\./],
    ["a column, and there is no row", "id,name\n", "nr", /one of: "id", "name"/],
    ["a field", '{"id":"1","a.b":{"c":1}}\n{"x":1}\n', "nr", /No record has a field "nr"\. .* "id", "a\\\\\.b\.c"\./],
    ["many columns", `${Array.from({ length: 30 }, (_, index) => `c${index}`).join(",")}\n`, "id", /"c19" and 10 more/],
    ["a long name", `${"x".repeat(500)},b\n`, "id", /"x{40}…"/],
    ["a first row of headings", "ada@example.com,Ada\nzoe@example.com,Zoë\n", "email", /looks like a person's data/],
  ];
  for (const [what, file, id, says] of absent) {
    it(`is refused once where it is not ${what}`, async () => {
      await assert.rejects(positions(file, id), (error) => {
        assert.ok(error instanceof CliError);
        const text = `${error.detail ?? ""} ${error.remedy}`;
        assert.match(text, says);
        assert.doesNotMatch(text, /ada@/);
        return true;
      });
    });
  }
});
