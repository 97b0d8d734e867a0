// `strongroom inspect`: what a stored message says of itself, without any key. It reads the header only and decrypts
// nothing.
import { printable, printableCopy } from "@strongroom/base/terminal";
import type { MessageInspection } from "@strongroom/envelope";
import { command, type CommandSpec } from "../command.ts";
import { CliError } from "../errors.ts";
import { openInput } from "../input-output.ts";

/** `strongroom inspect`. */
export const inspectCommand: CommandSpec = command({
  name: "inspect",
  args: "<file>",
  heading: "Looking after it",
  summary: "show the header of an encrypted message (- reads standard input)",
  description:
    "Any message in the AWS Encryption SDK format. Nothing shown is authenticated: only opening the message proves " +
    "it.",
  flagGroups: [],
  options: {},
  examples: [
    { line: "npx strongroom inspect message.bin", meaning: "suite, wrapped data keys, encryption context" },
    {
      line:
        'sqlite3 strongroom-data/records.sqlite "SELECT hex(message) FROM versions LIMIT 1" | xxd -r -p | ' +
        "npx strongroom inspect -",
      meaning: "one from the database",
    },
  ],
  run: async ({ context, args }) => {
    const [path = "-"] = args;
    const input = await openInput(path, context);
    const chunks: Uint8Array[] = [];
    for await (const chunk of input.chunks) chunks.push(chunk);
    const found = await inspectMessage(Buffer.concat(chunks));
    const { problem, ...rest } = found;
    context.terminal.result({ ...rest, problem: problem?.code ?? null }, () =>
      describe({ ...printableCopy(rest), problem }).join("\n"),
    );
  },
});

async function inspectMessage(bytes: Uint8Array): Promise<MessageInspection> {
  const { ENVELOPE_ERRORS, inspect, isEnvelopeError } = await import("@strongroom/envelope");
  try {
    return inspect(bytes);
  } catch (cause) {
    if (!isEnvelopeError(cause)) throw cause;
    const { title, remedy } = ENVELOPE_ERRORS[cause.code];
    throw new CliError("input-invalid", { title, detail: cause.message, remedy, reportedCode: cause.code, cause });
  }
}

function describe(message: MessageInspection): string[] {
  const rows: [string, string][] = [
    [
      "Suite",
      [
        `${message.suiteId} ${message.suite}`,
        ...(message.committing ? ["committing"] : []),
        ...(message.signed ? ["signed"] : []),
      ].join(", "),
    ],
    ["Format", `version ${message.version}, ${message.contentType}, frames of ${message.frameLength} bytes`],
    ["Message id", message.messageId],
    ["Length", `${message.messageLength} bytes, of which the header takes ${message.headerLength}`],
    [
      "Plaintext",
      message.body === null ? "not known" : `${message.body.plaintextLength} bytes in ${message.body.frames} frames`,
    ],
    ...message.encryptedDataKeys.map(({ providerId, keyInfo, ciphertextLength }, index): [string, string] => [
      index === 0 ? "Data keys" : "",
      `${providerId}  ${keyInfo}  (${ciphertextLength} bytes)`,
    ]),
    ...Object.entries(message.encryptionContext).map(([key, value], index): [string, string] => [
      index === 0 ? "Context" : "",
      `${key} = ${value}`,
    ]),
  ];
  const lines = rows.map(([label, value]) => `${label.padEnd(10)}  ${value}`);
  return message.problem === null ? lines : [...lines, `Problem     ${printable(message.problem.message)}`];
}
