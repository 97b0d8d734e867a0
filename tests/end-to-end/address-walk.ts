// E-mail addresses as ids and as people's names, through everything that a service does with a record; and where they
// may lie afterwards.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { defer } from "../support/defer.ts";
import { addressForms } from "./address-forms.ts";
import { Installation } from "./installation.ts";
import { filesBelow, findTraces } from "./traces.ts";

/** What is declared: sealed ids in each scope, and public ones. */
const COLLECTIONS = {
  patients: { ids: "sealed", subject: "id" },
  cases: { ids: "sealed", subject: { field: "person" }, scope: "record" },
  clients: { ids: "sealed", subject: { field: "person" }, scope: "tenant", tenant: "clinic" },
  members: { ids: "public", subject: "id" },
  ledger: { ids: "public", subject: "id", scope: "record" },
} as const;
type CollectionName = keyof typeof COLLECTIONS;

/** Collections whose ids are sealed, in each scope. */
const SEALED: readonly CollectionName[] = ["patients", "cases", "clients"];

/** Addresses of one collection, each for something else. */
export interface Addresses {
  readonly kept: string;
  readonly changed: string;
  readonly removed: string;
  readonly imported: readonly string[];
  /** Never stored. */
  readonly asked: string;
  readonly refused: string;
  /** Written while a region was away. */
  readonly owing: string;
}

/** No two collections have an address, or a half of one, in common. */
export function addressesOf(collection: CollectionName): Addresses {
  const address = (what: string): string => `${what}.o'neill+${collection}@${what}-${collection}.Clinic.example`;
  return {
    kept: address("margaret"),
    changed: address("frédérique"),
    removed: address("benedict"),
    imported: [address("importante"), address("imported-too")],
    asked: address("asked-for"),
    refused: address("refused-one"),
    owing: address("owed-to-a-region"),
  };
}

export const allOf = ({ imported, ...single }: Addresses): readonly string[] => [...Object.values(single), ...imported];

/** Folders beside the installation's. */
interface Folders {
  /** Files of the person who uses it: what is imported and exported has the addresses. */
  readonly own: string;
  /** What the service and the doctor say of themselves. */
  readonly views: string;
}

/** Everything that is done with records, in one collection; over HTTP, and by the command. */
async function walk(
  installation: Installation,
  collection: CollectionName,
  folders: Folders,
  commands: "with-commands" | "http-only",
): Promise<void> {
  const addresses = addressesOf(collection);
  const { kept, changed, removed, asked, refused, owing } = addresses;
  const path = (id: string): string => `/v1/records/${collection}/${encodeURIComponent(id)}`;
  const put = (id: string, step: number, headers = {}): Promise<Response> =>
    installation.request("PUT", path(id), { person: id, step }, headers);
  const expect = async (status: number, answer: Promise<Response>): Promise<string> => {
    const found = await answer;
    const text = await found.text();
    assert.equal(found.status, status, text);
    return text;
  };
  for (const id of [kept, changed, removed]) await expect(201, put(id, 1));
  await expect(200, put(changed, 2));
  await expect(200, put(changed, 3, { "strongroom-subject": encodeURIComponent(changed) }));
  assert.deepEqual(JSON.parse(await expect(200, installation.request("GET", path(changed)))), {
    person: changed,
    step: 3,
  });
  await expect(200, installation.request("GET", `${path(changed)}/versions`));
  await expect(200, installation.request("GET", `/v1/records/${collection}?limit=2`));

  await expect(412, put(kept, 2, { "if-match": '"7"' }));
  await expect(404, installation.request("GET", path(asked)));
  await expect(404, installation.request("DELETE", path(asked)));
  await expect(400, installation.request("PUT", path(`${refused}/..`), { person: refused }));
  await expect(409, put(changed, 4, { "strongroom-subject": encodeURIComponent(refused) }));
  await expect(
    400,
    fetch(`${installation.url}${path(refused)}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${installation.token}`, "content-type": "application/json" },
      body: `{"person":"${refused}",}`,
    }),
  );
  await expect(401, fetch(`${installation.url}${path(refused)}`, { headers: { authorization: "Bearer none" } }));
  if (commands === "with-commands") await useCommands(installation, collection, folders);

  await installation.region("eu-west-2", "stop");
  await expect(201, put(owing, 1));
  await expect(200, put(changed, 5));
  await installation.region("eu-west-2", "start");
  await nothingOwed(installation);
  await expect(200, installation.request("DELETE", path(removed)));
  for (const view of ["/metrics", "/readyz", "/v1/jobs", "/v1/regions", "/v1/collections"]) {
    const text = await (await installation.request("GET", view)).text();
    writeFileSync(join(folders.views, `${collection}${view.replaceAll("/", "-")}`), text);
  }
}

async function useCommands(
  installation: Installation,
  collection: CollectionName,
  { own, views }: Folders,
): Promise<void> {
  const { kept, changed, imported, asked } = addressesOf(collection);
  const run = async (...args: readonly string[]): Promise<number | null> => (await installation.run(args)).code;
  const [file, out] = [join(own, `${collection}.ndjson`), join(own, `${collection}.out.ndjson`)];
  writeFileSync(file, imported.map((id) => `${JSON.stringify({ email: id, person: id })}\n`).join(""));
  assert.equal(await run("import", collection, file, "--id", "email"), 0);
  assert.equal(await run("export", collection, out, "--id", "id"), 0);
  assert.equal(await run("history", collection, changed), 0);
  assert.notEqual(await run("get", collection, asked), 0);
  assert.notEqual(await run("rm", collection, kept), 0, "nobody said yes");
  const doctor = await installation.run(["doctor", "--json"]);
  writeFileSync(join(views, `${collection}-doctor`), doctor.stdout + doctor.stderr);
}

/**
 * An installation whose collections have been through everything, and then ended. No address of a sealed collection is
 * in its folder, in what it says of itself, in copies of its databases, or in the further folders.
 */
export async function nowhere(
  t: TestContext,
  settings: NodeJS.ProcessEnv,
  further: readonly string[],
): Promise<Installation> {
  const outside = mkdtempSync(join(tmpdir(), "strongroom-outside-"));
  defer(t, () => {
    rmSync(outside, { recursive: true });
  });
  const config = join(outside, "strongroom.config.json");
  writeFileSync(config, JSON.stringify({ collections: COLLECTIONS }), { mode: 0o600 });
  const installation = await Installation.start({
    settings: { STRONGROOM_CONFIG: config, STRONGROOM_LOG_LEVEL: "debug", ...settings },
  });
  defer(t, () => installation[Symbol.asyncDispose]());
  const folders = { own: join(outside, "own"), views: join(outside, "views") };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  for (const collection of SEALED)
    await walk(installation, collection, folders, collection === "patients" ? "with-commands" : "http-only");
  for (const collection of ["members", "ledger"] as const) await walk(installation, collection, folders, "http-only");

  const sealed = SEALED.flatMap((collection) => allOf(addressesOf(collection)));
  const searched = [installation.folder, folders.views, ...further];
  assert.deepEqual([...tracesOf(sealed, searched)], [], "while it runs");
  assert.equal(await installation.down(), 0);
  const dumps = join(outside, "dumps");
  dump(installation.dataDir, dumps);
  assert.deepEqual([...tracesOf(sealed, [...searched, dumps])], [], "when it has ended");
  return installation;
}

/** The repair has paid. */
async function nothingOwed(installation: Installation): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const answer = await installation.request("GET", "/v1/regions/debt");
    const text = await answer.text();
    if (answer.ok && (JSON.parse(text) as { readonly items: readonly unknown[] }).items.length === 0) return;
    assert.ok(performance.now() < deadline, text);
    await delay(200);
  }
}

/** Copies of the databases, as a backup makes them. */
function dump(dataDir: string, into: string): void {
  mkdirSync(into);
  const names = ["records.sqlite", "keys.sqlite", "audit.sqlite", "kms/kms.sqlite"];
  for (const name of names.filter((file) => existsSync(join(dataDir, file)))) {
    const database = new DatabaseSync(join(dataDir, name), { readOnly: true });
    database.prepare("vacuum into ?").run(join(into, name.replace("/", "-")));
    database.close();
  }
}

/** Files of the folders in which an address lies in any form: name -> how often. */
export function tracesOf(addresses: readonly string[], folders: readonly string[]): ReadonlyMap<string, number> {
  const files = folders.flatMap(filesBelow);
  const found = findTraces(files, addresses.flatMap(addressForms));
  return new Map([...Map.groupBy(found, ({ file }) => file)].map(([file, all]) => [file, all.length]));
}
