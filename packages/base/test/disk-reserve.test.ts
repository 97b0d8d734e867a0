import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DiskReserve, RESERVE, roomOf } from "@strongroom/base/disk-reserve";
import { temporaryFolder } from "./support/temporary-folder.ts";

test("room is kept in a file for its owner alone, found again, and given up once", (t) => {
  const path = join(temporaryFolder(t), "a.reserve");
  const reserve = new DiskReserve(path);
  const size = roomOf("/tmp")!.size;
  assert.ok(reserve.isHeld && reserve.hasRoom());
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.ok(statSync(path).size <= RESERVE.bytes && statSync(path).size <= size);
  assert.ok(new DiskReserve(path).isHeld);
  assert.deepEqual([reserve.release(), reserve.release(), existsSync(path)], [true, false, false]);
  assert.ok(reserve.hasRoom(), "there is room, and it is kept again");
  assert.ok(existsSync(path));
});

test("a link under its name is replaced and not written into", (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "other"), "mine");
  symlinkSync(join(folder, "other"), join(folder, "a.reserve"));
  assert.ok(new DiskReserve(join(folder, "a.reserve")).isHeld);
  assert.equal(readFileSync(join(folder, "other"), "utf8"), "mine");
});

test("room that cannot be kept is no failure, and is not tried for again with each write", (t) => {
  const path = join(temporaryFolder(t), "a.reserve");
  let now = 0;
  mkdirSync(path);
  const reserve = new DiskReserve(path, { clock: () => now });
  assert.deepEqual([reserve.hasRoom(), reserve.isHeld, reserve.release()], [true, false, false]);
  rmdirSync(path);
  now += 1000;
  assert.deepEqual([reserve.hasRoom(), reserve.isHeld], [true, false]);
  now += 60_000;
  assert.deepEqual([reserve.hasRoom(), reserve.isHeld], [true, true]);
  rmSync(path);
  mkdirSync(path);
  assert.deepEqual([reserve.release(), reserve.isHeld, reserve.release()], [false, false, false]);
});

test("on a volume that fills, writing ends first, then the room is given up, and both come back", (t) => {
  const volume = temporaryFolder(t);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", volume], { stdio: "ignore" });
  } catch {
    t.skip("no tmpfs can be mounted here: it takes root");
    return;
  }
  try {
    let now = 0;
    const reserve = new DiskReserve(join(volume, "a.reserve"), { clock: () => (now += 1000) });
    const megabytes = (count: number): void => {
      writeFileSync(join(volume, "ballast"), Buffer.alloc(count * 1_048_576));
    };
    assert.deepEqual([reserve.isHeld, reserve.hasRoom(), reserve.releaseWhenScarce()], [true, true, false]);
    megabytes(14.5);
    assert.deepEqual([reserve.hasRoom(), reserve.releaseWhenScarce(), reserve.isHeld], [false, false, true]);
    megabytes(14.9);
    assert.ok(reserve.hasHalf(), "all of it is kept");
    assert.deepEqual([reserve.releaseWhenScarce(), reserve.isHeld, reserve.hasRoom()], [true, false, false]);
    assert.ok(roomOf(volume)!.free > 1_000_000, "what reads and removes has room");
    assert.ok(reserve.hasHalf());
    megabytes(15.4);
    assert.deepEqual([reserve.hasHalf(), reserve.isHeld], [true, false]);
    megabytes(15.6);
    assert.deepEqual([reserve.hasHalf(), reserve.isHeld], [false, false], "the rest is for what removes");
    megabytes(13.5);
    assert.deepEqual([reserve.hasRoom(), reserve.isHeld], [true, false], "room to write, and not yet to keep some");
    rmSync(join(volume, "ballast"));
    assert.deepEqual([reserve.hasRoom(), reserve.isHeld], [true, true]);
    megabytes(14.2);
    assert.deepEqual([reserve.releaseForOthers(), reserve.isHeld], [false, true], "nobody lacks it yet");
    megabytes(14.4);
    assert.deepEqual([reserve.releaseForOthers(), reserve.isHeld], [true, false], "sooner than others are told no");
  } finally {
    execFileSync("umount", ["--lazy", volume]);
  }
});
