// A hundred thousand refused requests of nobody, and ten thousand of a token: how many entries they make, and how many
// bytes.
import { test } from "node:test";
import { nobodysFlood, tokensFlood } from "../support/flood-trials.ts";

const REQUESTS = Number(process.env["STRONGROOM_FLOOD"] ?? 100_000);

test(`${REQUESTS} refused requests of nobody fill nothing`, async (t) => {
  await nobodysFlood(t, REQUESTS);
});

test(`${REQUESTS / 10} refused requests of a token`, async (t) => {
  await tokensFlood(t, REQUESTS / 10);
});
