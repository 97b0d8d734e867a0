/** Alarms of one kind, which whoever can write a database makes at will, do not have another kind forgotten. */
import assert from "node:assert/strict";
import test from "node:test";
import { Alarms } from "../../src/audit/alarms.ts";

test("the newest of each code are kept, in the order in which they were raised", () => {
  let told = 0;
  const alarms = new Alarms(
    () => new Date(0),
    () => {
      told++;
    },
  );
  alarms.raise({ code: "gap", message: "numbers 3 to 4 are gone" });
  for (let n = 1; n <= 1000; n++) alarms.raise({ code: "record-rolled-back", message: `record ${n}` });
  const { raised } = alarms;
  assert.deepEqual([raised.length, raised[0]?.code, told], [51, "gap", 1001]);
  assert.deepEqual([raised[1]?.message, raised.at(-1)?.message], ["record 951", "record 1000"]);
});
