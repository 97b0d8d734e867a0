import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { formatCheckpoint, parseCheckpoint, parseSizeLine } from "@strongroom/tlog/checkpoint";
import { isKeyName, parseVkey, signerOf, verifierOf } from "@strongroom/tlog/keys";
import type { KeyKind } from "@strongroom/tlog/keys";
import { NOTE_LIMITS, openNote, parseNote, signNote } from "@strongroom/tlog/note";
import { EMPTY_ROOT, leafHash } from "@strongroom/tlog/tree";

// The example of c2sp.org/signed-note (BSD-1-Clause).
const VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;
// The example of Go's golang.org/x/mod/sumdb/note (BSD-3-Clause).
const GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
  "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

const malformed = { name: "TlogError", code: "malformed" };
const ed = generateKeyPairSync("ed25519").privateKey;
const CHECKPOINT = formatCheckpoint({ origin: "example.com/log", size: 7, root: leafHash("r") });

test("the examples of the specification and of Go's package open", () => {
  assert.equal(openNote(EXAMPLE, [parseVkey(VKEY)]).text, "This is an example message.\n");
  assert.equal(openNote(Buffer.from(GO_NOTE), [parseVkey(GO_VKEY)]).verifiers[0]!.name, "PeterNeumann");
  assert.equal(parseVkey(VKEY).vkey, VKEY);
});

const kinds = (["ed25519", "ed25519-cosignature", "ml-dsa-44-cosignature"] as const).filter(
  (kind) => kind !== "ml-dsa-44-cosignature" || mlDsa() !== null,
);

function mlDsa(): ReturnType<typeof createPublicKey> | null {
  try {
    return generateKeyPairSync("ml-dsa-44" as "ed25519").privateKey;
  } catch {
    return null;
  }
}

const keyOf = (kind: KeyKind): ReturnType<typeof createPublicKey> => (kind === "ml-dsa-44-cosignature" ? mlDsa()! : ed);

test("what each kind of key signs, its verifier key opens, and no other kind's", () => {
  for (const kind of kinds) {
    const signer = signerOf("example.com/log", kind, keyOf(kind), () => 1_700_000_000);
    const note = signNote(CHECKPOINT, [signer]);
    assert.deepEqual(openNote(note, [parseVkey(signer.vkey)]).verifiers.length, 1);
    const elsewhere = signerOf("example.com/other", kind, keyOf(kind));
    assert.throws(() => openNote(note, [elsewhere]), { code: "unsigned" });
    for (const other of kinds.filter((one) => one !== kind))
      assert.throws(() => openNote(note, [signerOf("example.com/log", other, keyOf(other))]), { code: "unsigned" });
    const changed = note.replace("\n7\n", "\n8\n");
    assert.throws(() => openNote(changed, [signer]), { code: "signature-wrong" });
  }
});

test("a cosignature is on a checkpoint, and its time is part of it", () => {
  const signer = signerOf("w", "ed25519-cosignature", ed, () => 5);
  const signature = signer.sign(CHECKPOINT);
  assert.ok(signer.verifies(CHECKPOINT, signature));
  const later = Buffer.from(signature);
  later.writeBigUInt64BE(6n);
  assert.equal(signer.verifies(CHECKPOINT, later), false);
  later.writeBigUInt64BE(2n ** 63n);
  assert.equal(signer.verifies(CHECKPOINT, later), false, "beyond the specification's times");
  for (const length of [0, 7, 8, 71, 73]) assert.equal(signer.verifies(CHECKPOINT, Buffer.alloc(length)), false);
  if (mlDsa() !== null) {
    const second = signerOf("w", "ml-dsa-44-cosignature", mlDsa()!);
    assert.throws(() => second.sign("no checkpoint\n"), RangeError);
    assert.equal(second.verifies("no checkpoint\n", Buffer.alloc(2428)), false);
  }
});

test("signatures of unknown keys are left alone, those of known ones must be right, and the first counts", () => {
  const [a, b] = ["a", "b"].map((name) => signerOf(name, "ed25519", generateKeyPairSync("ed25519").privateKey));
  const text = "t\n";
  const [lineA, lineB] = [a!, b!].map((one) => signNote(text, [one]).slice(text.length + 1));
  const wrong = lineA!.replace(/.{4}=\n$/, (end) => (end === "AAAA=\n" ? "AAAB=\n" : "AAAA=\n"));
  const note = (...lines: readonly string[]): string => `${text}\n${lines.join("")}`;
  assert.deepEqual(openNote(note(lineA!, lineB!), [b!]).verifiers, [b]);
  assert.deepEqual(openNote(note(lineA!, lineB!), [a!, b!]).verifiers.length, 2);
  assert.deepEqual(openNote(note(lineA!, lineA!), [a!]).verifiers.length, 1);
  assert.deepEqual(openNote(note(lineA!, wrong), [a!]).verifiers.length, 1);
  assert.throws(() => openNote(note(wrong, lineA!), [a!]), { code: /malformed|signature-wrong/ });
  assert.throws(() => openNote(note(lineB!), [a!]), { code: "unsigned" });
  assert.throws(() => openNote(note(lineA!), []), { code: "unsigned" });
  assert.throws(() => openNote(note(lineA!), [a!, a!]), RangeError);
  const impostor = signerOf("a", "ed25519", generateKeyPairSync("ed25519").privateKey);
  const forged = signNote(text, [impostor]);
  assert.throws(() => openNote(forged, [a!]), { code: "unsigned" }, "a name alone is no key");
});

const line = signNote("t\n", [signerOf("a", "ed25519", ed)]).slice(3);
const MALFORMED: Readonly<Record<string, string | Uint8Array>> = {
  empty: "",
  "no signature": "t\n",
  "no empty line": `t\n${line}`,
  "no last line feed": `t\n\n${line.slice(0, -1)}`,
  "an empty line after the signatures": `t\n\n${line}\n`,
  "a carriage return": `t\r\n\n${line}`,
  "a tab": `t\tt\n\n${line}`,
  "a nul": `t\0\n\n${line}`,
  "a hyphen for the dash": `t\n\n${line.replace("—", "-")}`,
  "no space": `t\n\n${line.replace("— ", "—")}`,
  "two spaces": `t\n\n${line.replace("— a ", "— a  ")}`,
  "a fourth word": `t\n\n${line.replace("\n", " x\n")}`,
  "a space of Unicode in the name": `t\n\n${line.replace("— a", "— a\u00a0b")}`,
  "a next-line in the name": `t\n\n${line.replace("— a", "— a\u0085b")}`,
  "a plus in the name": `t\n\n${line.replace("— a", "— a+b")}`,
  "no name": `t\n\n${line.replace("— a", "— ")}`,
  "base64 without padding": `t\n\n${line.replace("=", "")}`,
  "base64 for URLs": "t\n\n— a __________8=\n",
  "base64 with bits left over": "t\n\n— a AAAAAAB=\n",
  "base64 with a line feed": `t\n\n${line.slice(0, 20)}\n${line.slice(20)}`,
  "a key id alone": "t\n\n— a AAAAAA==\n",
  "bytes that are no UTF-8": Buffer.concat([Buffer.from("t\xff\n\n", "latin1"), Buffer.from(line)]),
  "half a character": `t\ud800\n\n${line}`,
  "too many signatures": `t\n\n${line.repeat(NOTE_LIMITS.signatures + 1)}`,
  "too long": `${"t".repeat(NOTE_LIMITS.bytes)}\n\n${line}`,
};

test("a note in another form is refused before a signature is looked at", () => {
  for (const [what, note] of Object.entries(MALFORMED)) assert.throws(() => parseNote(note), malformed, what);
  assert.equal(parseNote(`t\n\n${line.repeat(NOTE_LIMITS.signatures)}`).signatures.length, NOTE_LIMITS.signatures);
  assert.equal(parseNote(`a\n\nb\n\n${line}`).text, "a\n\nb\n", "the last empty line is the one");
  const bom = `\ufefft\n\n${line}`;
  assert.equal(parseNote(Buffer.from(bom)).text, "\ufefft\n", "nothing of what was signed is dropped");
});

test("a note that is signed opens to the same text, whatever the text is", () => {
  const signer = signerOf("example.com/a", "ed25519", ed);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (given) => {
      const text = `${given.replaceAll(/[\u0000-\u001f]/g, "\n")}\n`;
      assert.equal(openNote(signNote(text, [signer]), [signer]).text, text);
    }),
    { numRuns: 100 },
  );
  for (const text of ["", "no end", "a\tb\n", "\ud800\n"]) assert.throws(() => signNote(text, [signer]), RangeError);
  assert.throws(() => signNote("t\n", []), RangeError);
});

test("a note with one byte changed does not open", () => {
  const signer = signerOf("example.com/a", "ed25519", ed);
  const note = Buffer.from(signNote(CHECKPOINT, [signer]));
  for (let at = 0; at < note.length; at++) {
    for (const bit of [0, 3, 7]) {
      const changed = Buffer.from(note);
      changed[at]! ^= 1 << bit;
      assert.throws(() => openNote(changed, [signer]), { name: "TlogError" }, `byte ${at}`);
    }
  }
});

test("verifier keys are strict", () => {
  const wrong = [
    "",
    "example.com/foo",
    VKEY.replace("530d903a", "530d903b"),
    VKEY.replace("530d903a", "530D903A"),
    VKEY.replace("530d903a", "0530d903a"),
    VKEY.replace("example.com/foo", "example.com/fop"),
    VKEY.replace("+Ae", "+Ag"),
    `${VKEY}=`,
    VKEY.slice(0, -4),
    `${VKEY} `,
    VKEY.replace("example.com/foo", "exam ple"),
    `a+00000000+${"A".repeat(4000)}`,
  ];
  for (const vkey of wrong) assert.throws(() => parseVkey(vkey), { name: "TlogError", code: "key-malformed" }, vkey);
  assert.throws(() => verifierOf("a b", "ed25519", Buffer.alloc(32)), { code: "key-malformed" });
  assert.throws(() => signerOf("a", "ed25519", generateKeyPairSync("x25519").privateKey), RangeError);
  assert.throws(() => signerOf("a", "ed25519", createPublicKey(ed)), RangeError);
  for (const name of ["", "a b", "a+b", "a\u2003b", "a\nb", "\ud800"]) assert.equal(isKeyName(name), false, name);
});

const root = Buffer.from(leafHash("r")).toString("base64");
const empty = Buffer.from(EMPTY_ROOT).toString("base64");

test("a checkpoint says which log, how many leaves and which root, and nothing loosely", () => {
  const parsed = parseCheckpoint(`example.com/log\n7\n${root}\n`);
  assert.deepEqual([parsed.origin, parsed.size, parsed.extensions], ["example.com/log", 7, []]);
  assert.deepEqual(parseCheckpoint(`o\n7\n${root}\nx\n`).extensions, ["x"]);
  assert.equal(parseCheckpoint(`o\n0\n${empty}\n`).size, 0);
  for (const text of [
    "",
    "o\n",
    `o\n7\n`,
    `o\n7\n${root}`,
    `\n7\n${root}\n`,
    `o\n\n7\n${root}\n`,
    `o\n7\n${root}\n\n`,
    `o\n07\n${root}\n`,
    `o\n-7\n${root}\n`,
    `o\n+7\n${root}\n`,
    `o\n7 \n${root}\n`,
    `o\n7.0\n${root}\n`,
    `o\n9007199254740992\n${root}\n`,
    `o\n99999999999999999999\n${root}\n`,
    `o\n7\n${root.slice(0, -1)}\n`,
    `o\n7\n${root}=\n`,
    `o\n7\nAAAA\n`,
    `o\n0\n${root}\n`,
  ])
    assert.throws(() => parseCheckpoint(text), malformed, JSON.stringify(text));
  assert.throws(() => formatCheckpoint({ origin: "a\nb", size: 1, root: leafHash("r") }), RangeError);
  assert.throws(() => formatCheckpoint({ origin: "", size: 1, root: leafHash("r") }), RangeError);
  assert.equal(parseSizeLine("12\n"), 12);
  for (const text of ["", "\n", "012\n", "1e3\n", "12\n\n", " 12\n"])
    assert.throws(() => parseSizeLine(text), malformed, JSON.stringify(text));
});
