// For tests: a service (or whatever answers in its place) whose every text is made to steer a terminal. Its answers
// have the form that the OpenAPI document describes, made from that form itself.
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ANSWER_FORMS } from "../../../client/src/api-tables.ts";

/** Kinds of text that no terminal may be sent. */
export const EVIL_PARTS: Readonly<Record<string, string>> = {
  "clear the screen": "\u001b[2J\u001b[H",
  "colour and conceal": "\u001b[8m\u001b[31m",
  "8-bit control sequence": "\u009b31m",
  "clipboard (OSC 52)": "\u001b]52;c;aGFjaw==\u0007",
  "link (OSC 8)": "\u001b]8;;https://evil.example\u001b\\click\u001b]8;;\u001b\\",
  "8-bit OSC and DCS": "\u009d0;title\u009c\u0090q\u009c",
  bell: "\u0007",
  "carriage return": "\rok: all is well",
  backspace: "\b\b\b",
  delete: "\u007f",
  "bidirectional override": "\u202egnp.exe\u2066x\u2069",
  "zero width": "a\u200bb\u200cc\ufeffd\u2060e\u00ad\u200df\u3164g\u034f",
  tags: "\u{e0041}\u{e0042}",
  "separators of lines": "\u2028x\u2029y\u0085z",
  "a line of its own": "\nFORGED: 3 of 3 regions",
  "lone surrogate": "\ud800x\udfff",
  "very long": "L".repeat(20_000),
};

/** All of them in one text. */
export const EVIL: string = Object.values(EVIL_PARTS).join("");

/** What a terminal shows as something else than a character in its place. Line ends are looked at by themselves. */
const STEERS = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** The first place where an output would steer a terminal, or forge a line of its own; null if there is none. */
export function steering(output: string): string | null {
  const found = STEERS.exec(output);
  if (found !== null)
    return `U+${found[0].codePointAt(0)?.toString(16) ?? ""} in ${JSON.stringify(around(output, found.index))}`;
  const forged = /^\s*FORGED/m.exec(output);
  return forged === null ? null : `a forged line: ${JSON.stringify(around(output, forged.index))}`;
}

function around(text: string, index: number): string {
  return text.slice(Math.max(0, index - 60), index + 60);
}

type Form = Readonly<Record<string, unknown>>;

/** An answer of the form of that name, in which every text that the form leaves open is evil. */
export function evilAnswer(name: string): unknown {
  return answerOf(name, EVIL);
}

/** An answer of the form of that name, in which every text that the form leaves open is this one. */
export function answerOf(name: string, text: string): unknown {
  return instance({ $ref: `#/components/schemas/${name}` }, text);
}

function instance(form: Form, text: string): unknown {
  if (typeof form["$ref"] === "string")
    return instance((ANSWER_FORMS as Readonly<Record<string, Form>>)[form["$ref"].split("/").at(-1) ?? ""] ?? {}, text);
  if ("const" in form) return form["const"];
  if (Array.isArray(form["enum"])) return form["enum"][0];
  const choices = (form["anyOf"] ?? form["oneOf"]) as readonly Form[] | undefined;
  if (choices !== undefined) return instance(choices.find(({ type }) => type !== "null") ?? {}, text);
  const type = Array.isArray(form["type"]) ? (form["type"] as string[]).find((one) => one !== "null") : form["type"];
  switch (type) {
    case "string":
      return text;
    case "integer":
    case "number":
      return 1;
    case "boolean":
      return true;
    case "array":
      return [instance((form["items"] ?? {}) as Form, text)];
    case "object": {
      const properties = Object.entries((form["properties"] ?? {}) as Readonly<Record<string, Form>>);
      const more = form["additionalProperties"];
      return Object.fromEntries([
        ...properties.map(([key, value]) => [key, instance(value, text)]),
        ...(typeof more === "object" && more !== null ? [[text, instance(more as Form, text)]] : []),
      ]) as unknown;
    }
    default:
      return text;
  }
}

/** Route -> the form of its answer; the first that fits. */
export const ROUTES: readonly (readonly [RegExp, string])[] = [
  [/^GET \/v1\/collections$/, "CollectionsAnswer"],
  [/^GET \/v1\/audit(\?.*)?$/, "AuditPage"],
  [/^GET \/v1\/audit\/status$/, "AuditStatus"],
  [/^GET \/v1\/audit\/access-log/, "AccessLog"],
  [/^GET \/v1\/jobs$/, "JobsAnswer"],
  [/^GET \/v1\/keys\/cost$/, "KeyCostAnswer"],
  [/^GET \/v1\/keys\/plan/, "PlanAnswer"],
  [/^GET \/v1\/keys\/inventory$/, "InventoryAnswer"],
  [/^GET \/v1\/keys\/run\/failures/, "FailuresAnswer"],
  [/^(?:GET|POST) \/v1\/keys\/run/, "RunAnswer"],
  [/^GET \/v1\/regions\/debt/, "DebtAnswer"],
  [/^GET \/v1\/regions/, "RegionsAnswer"],
  [/^GET \/v1\/records\/[^/]+\/[^/]+\/versions$/, "VersionsAnswer"],
  [/^GET \/v1\/indexes\/work$/, "IndexWorkAnswer"],
  [/^GET \/v1\/indexes(\?.*)?$/, "IndexesAnswer"],
  [/^GET \/v1\/collections\/[^/]+\/leakage$/, "LeakageAnswer"],
  [/^POST \/v1\/indexes\//, "IndexWorkBegun"],
  [/^POST .*\/find$/, "FindAnswer"],
  [/^POST .*\/find\/count$/, "CountFoundAnswer"],
  [/^POST .*\/find\/explain$/, "ExplainFindAnswer"],
  [/^PUT /, "PutAnswer"],
  [/^DELETE /, "RemoveAnswer"],
  [/^POST /, "BatchAnswer"],
  [/^GET \/v1\/records\/[^/?]+(\?.*)?$/, "ListAnswer"],
];

/** The document that it gives for every record. */
export const EVIL_DOCUMENT: Readonly<Record<string, unknown>> = {
  [EVIL.toWellFormed()]: EVIL.toWellFormed(),
  list: [{ name: EVIL.toWellFormed() }],
};

/** A listening server. */
export interface HostileService extends AsyncDisposable {
  readonly url: string;
}

async function listening(server: Server): Promise<HostileService> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Answers whatever `handle` says. */
export async function answering(handle: (route: string, response: ServerResponse) => void): Promise<HostileService> {
  return listening(
    createServer((request, response) => {
      request.resume();
      handle(`${request.method ?? ""} ${request.url ?? ""}`, response);
    }),
  );
}

/** A service that answers each request in its form: `well`, or that it refuses it, as `problem`. */
export async function hostileService(how: "well" | "problem"): Promise<HostileService> {
  return answering((route, response) => {
    if (how === "problem") {
      response.writeHead(409, { "content-type": "application/problem+json" });
      response.end(JSON.stringify({ ...(evilAnswer("Problem") as object), code: EVIL }));
      return;
    }
    if (route === "GET /v1/keys/run/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`: ${EVIL.replaceAll("\n", "")}\n\n`);
      response.end(`event: status\ndata: ${JSON.stringify(evilAnswer("RunAnswer"))}\n\nevent: end\ndata: {}\n\n`);
      return;
    }
    if (route === "GET /v1/audit/checkpoint") {
      response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
      response.end(EVIL);
      return;
    }
    const form = ROUTES.find(([pattern]) => pattern.test(route))?.[1];
    if (form === undefined) {
      response.writeHead(200, {
        "content-type": "application/json",
        "strongroom-version": "1",
        "strongroom-subject": encodeURIComponent(EVIL.slice(0, 200).toWellFormed()),
        "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT",
      });
      response.end(JSON.stringify(EVIL_DOCUMENT));
      return;
    }
    const answer = evilAnswer(form) as Record<string, unknown>;
    // What goes on from a listing ends, and its ids can be asked for.
    if (/limit=(?:1000|500)\b/.test(route) || form === "FindAnswer") answer["next"] = null;
    // Work that has ended, and that is well: nobody waits for it.
    if (form.startsWith("IndexWork")) Object.assign(answer["work"] as object, { state: "done", problem: null });
    if (route.includes("limit=1000") && form === "ListAnswer")
      answer["items"] = [{ id: "x", version: 1, updatedAt: EVIL }];
    if (form === "CollectionsAnswer")
      answer["collections"] = [
        { collection: "people", records: 1 },
        { collection: EVIL, records: 2 },
      ];
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer));
  });
}
