import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { SqliteFileError, sqliteFailure, whileBusy } from "@strongroom/base/sqlite";

const sqliteError = (errcode: number): Error => Object.assign(new Error("sqlite"), { errcode });

test("SQLite's result codes, the system's and our own findings each have one word", () => {
  const codes: readonly (readonly [errcode: number, failure: string])[] = [
    [5, "busy"],
    [261, "busy"], // SQLITE_BUSY_RECOVERY
    [517, "busy"], // SQLITE_BUSY_SNAPSHOT
    [8, "read-only"],
    [1032, "read-only"], // SQLITE_READONLY_DBMOVED
    [10, "io"],
    [1034, "io"], // SQLITE_IOERR_FSYNC
    [4874, "full"], // SQLITE_IOERR_SHMSIZE
    [11, "corrupt"],
    [13, "full"],
    [14, "cannot-open"],
    [26, "not-a-database"],
    [19, "other"], // SQLITE_CONSTRAINT
  ];
  for (const [errcode, failure] of codes) assert.equal(sqliteFailure(sqliteError(errcode)), failure, String(errcode));
  const system = (code: string): Error => Object.assign(new Error("system"), { code, syscall: "open" });
  assert.equal(sqliteFailure(system("ENOSPC")), "full");
  assert.equal(sqliteFailure(system("EACCES")), "cannot-open");
  assert.equal(sqliteFailure(new SqliteFileError("newer", "it is newer")), "newer");
  // Of another copy of this package: it has the name and the code, not the class.
  assert.equal(sqliteFailure(Object.assign(new Error(), { name: "SqliteFileError", code: "foreign" })), "foreign");
  for (const error of [new Error("x"), "text", null, undefined, { errcode: 5 }])
    assert.equal(sqliteFailure(error), "other");
});

test("what is busy is tried again until the time is up, and the process goes on meanwhile", async () => {
  let tries = 0;
  const done = whileBusy(5000, async () => {
    if (++tries < 4) throw sqliteError(5);
    return "done";
  });
  assert.equal(await done, "done");
  assert.equal(tries, 4);
  let ticks = 0;
  const ticking = setInterval(() => ticks++, 1);
  await assert.rejects(
    whileBusy(60, () => Promise.reject(sqliteError(5))),
    { errcode: 5 },
  );
  clearInterval(ticking);
  assert.ok(ticks > 5);
});

test("any other failure is thrown at once", async () => {
  let tries = 0;
  await assert.rejects(
    whileBusy(5000, async () => {
      tries++;
      await delay(1);
      throw sqliteError(13);
    }),
    { errcode: 13 },
  );
  assert.equal(tries, 1);
});
