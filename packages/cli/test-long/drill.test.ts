// Drills by every fault, against an installation as `strongroom up` makes it, with the waits that it has by itself.
import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { controlHeader } from "../src/drill/control-port.ts";
import {
  type Installation,
  runProcess,
  spawnCommand,
  startInstallation,
  temporaryFolder,
  until,
} from "../test/support/installation.ts";

describe("a drill", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let installation: Installation;
  before(async () => {
    folder = await temporaryFolder();
    installation = await startInstallation(folder.path, [], { env: {} });
  });
  after(async () => {
    assert.equal(await installation.stop(), 0);
    await folder[Symbol.asyncDispose]();
  });

  it("that is killed leaves a region away, and the next one brings it back", async () => {
    const args = ["drill", "--seconds", "2", "--faults", "refused", "--regions", "eu-west-1"];
    const regions = async (): Promise<string> =>
      (
        await fetch(`${installation.ready.faultsEndpoint}/_strongroom/regions`, {
          headers: await controlHeader(installation.ready.faultsHeaderFile),
        })
      ).text();
    const killed = spawnCommand(args, folder.path);
    await until(async () => (await regions()).includes("stopped"));
    killed.kill("SIGKILL");
    await once(killed, "close");
    assert.match(await regions(), /stopped/);
    const { code, stderr } = await runProcess(args, folder.path);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /eu-west-1 was still away \(stopped\)/);
    assert.doesNotMatch(await regions(), /stopped/);
  });

  const drills: readonly { readonly what: string; readonly args: readonly string[] }[] = [
    {
      what: "by every fault, in the nearest region",
      args: ["--faults", "all", "--regions", "eu-west-1", "--seconds", "2"],
    },
    {
      what: "by what is silent, in the regions that are farther away",
      args: ["--faults", "black-hole,slow", "--regions", "eu-west-2,eu-central-1", "--seconds", "2"],
    },
    {
      what: "with two of three regions lost",
      args: ["--faults", "refused,black-hole", "--lost", "2", "--seconds", "2"],
    },
  ];
  for (const { what, args } of drills) {
    it(`${what}: every promise is kept`, { timeout: 400_000 }, async (t) => {
      const { code, stdout, stderr } = await runProcess(
        ["drill", "--round-trips", "5,40,70", "--timeline", join(folder.path, "timeline.json"), ...args],
        folder.path,
      );
      for (const line of stdout.trimEnd().split("\n")) t.diagnostic(line);
      assert.equal(code, 0, stderr);
    });
  }
});
