// The doctor on the aliases of an installation, over a real KMS in which somebody has changed them.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createKms, type Kms } from "@strongroom/kms";
import { aliasFindings } from "../../src/doctor/aliases.ts";
import { type InstallationKeys, KEY_ALIASES, readInstallationKeys } from "../../src/installation/installed-keys.ts";
import { kmsClient } from "../../src/installation/keyring.ts";
import { ensureRegionKeys, type RegionClient } from "../../src/installation/region-keys.ts";
import { makeNextKeys, pointAliases } from "../../src/installation/rotate-keys.ts";
import { temporaryFolder } from "../support/installation.ts";

const NAMES = ["eu-west-1", "eu-west-2"] as const;

describe("strongroom doctor on aliases", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let kms: Kms;
  let regions: readonly RegionClient[];
  let path = "";

  before(async () => {
    folder = await temporaryFolder();
    path = join(folder.path, "keys.json");
    const rootKey = { kind: "file", path: join(folder.path, "root.key") } as const;
    kms = await createKms({ dataDir: folder.path, regions: NAMES.map((name) => ({ name, port: 0 })), rootKey });
    const credentialsFile = join(folder.path, "credentials.json");
    regions = await Promise.all(
      NAMES.map(async (region) => {
        const place = { region, endpoint: kms.endpoints[region], allowUnauthenticated: true, credentialsFile };
        return { region, client: await kmsClient(place) };
      }),
    );
    for (const purpose of ["records", "keyStore"] as const) await ensureRegionKeys(path, regions, { purpose });
  });
  after(async () => {
    for (const { client } of regions) client.destroy();
    await kms.close();
    await folder[Symbol.asyncDispose]();
  });

  async function found(installed: InstallationKeys): Promise<readonly (readonly [what: string, detail: string])[]> {
    const { signal } = new AbortController();
    const findings = await Promise.all(
      regions.map(({ region, client }) =>
        aliasFindings({ client, region, endpoint: `http://${region}.example`, installed, signal }),
      ),
    );
    assert.ok(findings.flat().every(({ severity, remedy = "" }) => severity === "warning" && remedy !== ""));
    return findings.flat().map(({ what, detail, remedy }) => [what, `${detail} | ${remedy ?? ""}`] as const);
  }

  it("finds nothing where each names its key, the next one's too", async () => {
    assert.deepEqual(await found(await readInstallationKeys(path)), []);
    const next = await makeNextKeys(path, regions, ["records"]);
    assert.deepEqual(await found(await readInstallationKeys(path)), []);
    await pointAliases(next, regions);
    assert.deepEqual(await found(await readInstallationKeys(path)), []);
    await pointAliases(await readInstallationKeys(path), regions);
  });

  it("names the one that was pointed elsewhere, and the one that is gone, with what points them back", async () => {
    const installed = await readInstallationKeys(path);
    const [, second = assert.fail()] = regions;
    const present = installed.records["eu-west-2"] ?? assert.fail();
    const ofPeople = installed.keyStore["eu-west-2"] ?? assert.fail();
    // The other purpose's key is another key too.
    await second.client.updateAlias({ AliasName: KEY_ALIASES.records, TargetKeyId: ofPeople });
    await second.client.deleteAlias({ AliasName: KEY_ALIASES.keyStore });
    const [moved = assert.fail(), gone = assert.fail(), ...more] = await found(installed);
    assert.deepEqual([moved[0], gone[0], more], ["Alias (eu-west-2)", "Alias (eu-west-2)", []]);
    assert.ok(moved[1].startsWith(`alias/strongroom points to ${ofPeople}; the key of records is ${present} | `));
    assert.match(
      moved[1],
      / aws kms update-alias --endpoint-url http:\/\/eu-west-2\.example --alias-name alias\/strongroom /,
    );
    assert.ok(gone[1].startsWith(`${KEY_ALIASES.keyStore} is not there; the key of people is ${ofPeople} | `));
    assert.match(gone[1], / aws kms create-alias /);
    await pointAliases(installed, regions);
    assert.deepEqual(await found(installed), []);
  });

  it("says that the service may not look at the key, and nothing of a region that does not answer", async () => {
    const installed = await readInstallationKeys(path);
    const [{ region } = assert.fail()] = regions;
    for (const [name, times] of [
      ["AccessDeniedException", 2],
      ["TimeoutError", 0],
    ] as const) {
      const client = { describeKey: () => Promise.reject(Object.assign(new Error("no"), { name })) };
      const { signal } = new AbortController();
      const findings = await aliasFindings({ client, region, endpoint: "http://a.example", installed, signal });
      assert.equal(findings.filter(({ detail }) => detail.includes("may not look at")).length, times);
      assert.equal(findings.length, times);
    }
  });
});
