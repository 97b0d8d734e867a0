/**
 * What a completion script is made of, and the scripts of the three shells. They hold all there is to complete, so that
 * a press of the tab key starts no process.
 */

/** What an option's value, or an argument, can be completed with. */
export type Completed =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "files" }
  | { readonly kind: "folders" }
  | { readonly kind: "nothing" };

/** One option at a place. */
export interface CompletedOption {
  /** `--output`. */
  readonly long: string;
  /** `-o`, or null. */
  readonly short: string | null;
  readonly description: string;
  /** Null for a switch. */
  readonly value: Completed | null;
}

/** A place in a command line: the words of a command, or of a group of them. */
export interface CompletedPlace {
  /** `kms audit`; empty for the program alone. */
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly description: string }[];
  readonly options: readonly CompletedOption[];
  readonly argument: Completed;
}

/** Everything that a program completes. */
export interface CompletionModel {
  readonly program: string;
  readonly places: readonly CompletedPlace[];
}

/** A shell for which there is a script. */
export type Shell = "bash" | "zsh" | "fish";

/** Shell -> the script for it. */
export const COMPLETION_SCRIPTS: Readonly<Record<Shell, (model: CompletionModel) => string>> = { bash, zsh, fish };

/** A word between quotes that none of the three shells looks into. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A name that a shell takes for a function. */
function functionName({ program }: CompletionModel): string {
  return `_${program.replaceAll(/\W/g, "_")}`;
}

/** The patterns of all commands below the program, as `case` reads them: ' kms'|' kms serve'. */
function pathPatterns({ places }: CompletionModel): string {
  const paths = places.filter(({ path }) => path !== "").map(({ path }) => path);
  const words = places.flatMap(({ path, words: below }) =>
    below.map(({ word }) => (path === "" ? word : `${path} ${word}`)),
  );
  return [...new Set([...paths, ...words])].map((path) => quoted(` ${path}`)).join("|");
}

const at = ({ path }: CompletedPlace): string => (path === "" ? "" : ` ${path}`);
const names = ({ long, short }: CompletedOption): readonly string[] => (short === null ? [long] : [long, short]);

/** One arm of a `case` for each option that takes a value: `' up|--port') …`. */
function valueArms(model: CompletionModel, arm: (value: Completed) => string): readonly string[] {
  return model.places.flatMap((place) =>
    place.options.flatMap((one) =>
      one.value === null
        ? []
        : [
            `    ${names(one)
              .map((name) => quoted(`${at(place)}|${name}`))
              .join("|")}) ${arm(one.value)} ;;`,
          ],
    ),
  );
}

function bash(model: CompletionModel): string {
  const value = (one: Completed): string =>
    one.kind === "words" ? `words=${quoted(one.words.join(" "))}` : `kind=${one.kind}`;
  const placeArms = model.places.map((place) => {
    const { argument } = place;
    const words = [
      ...place.words.map(({ word }) => word),
      ...(argument.kind === "words" ? argument.words : []),
      ...place.options.map(({ long }) => long),
    ];
    const also = argument.kind === "files" ? "; kind=files" : "";
    return `      ${quoted(at(place))}) words=${quoted(words.join(" "))}${also} ;;`;
  });
  const name = functionName(model);
  return `# bash completion of ${model.program}, made by \`${model.program} completion bash\`
${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="" at="" words="" kind="" i
  ((COMP_CWORD > 0)) && previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  # bash takes --format=csv for three words.
  [[ $current == "=" ]] && current=""
  [[ $previous == "=" ]] && previous="\${COMP_WORDS[COMP_CWORD - 2]}"
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${pathPatterns(model)}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at|$previous" in
${valueArms(model, value).join("\n")}
    *) case "$at" in
${placeArms.join("\n")}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ $current == -* ]] && return
  local IFS=$'\\n'
  case "$kind" in
    files) COMPREPLY+=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null ;;
    folders) COMPREPLY+=($(compgen -d -- "$current")); compopt -o filenames 2>/dev/null ;;
  esac
}
complete -F ${name} ${model.program}
`;
}

function zsh(model: CompletionModel): string {
  const value = (one: Completed): string => {
    if (one.kind === "words") return `compadd -- ${one.words.map(quoted).join(" ")}; return`;
    return { files: "_files; return", folders: "_files -/; return", nothing: "return" }[one.kind];
  };
  const described = (word: string, description: string): string =>
    quoted(`${word.replaceAll(":", "\\:")}:${description}`);
  const placeArms = model.places.map((place) => {
    const { argument } = place;
    const offered = [
      ...place.words.map(({ word, description }) => described(word, description)),
      ...(argument.kind === "words" ? argument.words.map((word) => described(word, "")) : []),
      ...place.options.map(({ long, description }) => described(long, description)),
    ];
    const also = argument.kind === "files" ? "; _files" : "";
    return `    ${quoted(at(place))}) offered=(${offered.join(" ")})${also} ;;`;
  });
  const name = functionName(model);
  return `#compdef ${model.program}
# zsh completion of ${model.program}, made by \`${model.program} completion zsh\`
${name}() {
  local at="" previous="\${words[CURRENT-1]}" i
  local -a offered
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i]}" in
      ${pathPatterns(model)}) at="$at \${words[i]}" ;;
    esac
  done
  case "$at|$previous" in
${valueArms(model, value).join("\n")}
  esac
  case "$at" in
${placeArms.join("\n")}
  esac
  _describe ${quoted(model.program)} offered
}
if [[ "\${funcstack[1]}" == "${name}" ]]; then ${name} "$@"; else compdef ${name} ${model.program}; fi
`;
}

function fish(model: CompletionModel): string {
  const { program } = model;
  const here = `_${functionName(model)}_at`;
  const value = (one: Completed | null): string => {
    if (one === null) return "";
    return {
      words: ` -x -a ${quoted(one.kind === "words" ? one.words.join(" ") : "")}`,
      files: " -r -F",
      folders: " -x -a '(__fish_complete_directories)'",
      nothing: " -x",
    }[one.kind];
  };
  const lines = model.places.flatMap((place) => {
    const start = `complete -c ${program} -n ${quoted(`${here} "${place.path}"`)}`;
    const { argument } = place;
    return [
      ...place.words.map(({ word, description }) => `${start} -a ${quoted(word)} -d ${quoted(description)}`),
      ...(argument.kind === "words" ? [`${start} -a ${quoted(argument.words.join(" "))}`] : []),
      ...(argument.kind === "files" ? [`${start} -F`] : []),
      ...place.options.map((one) => {
        const short = one.short === null ? "" : ` -s ${one.short.slice(1)}`;
        return `${start} -l ${one.long.slice(2)}${short}${value(one.value)} -d ${quoted(one.description)}`;
      }),
    ];
  });
  const paths = pathPatterns(model).replaceAll("'|' ", "' '").replace(/^' /, "'");
  return `# fish completion of ${program}, made by \`${program} completion fish\`
function ${here}
    set -l tokens (commandline -opc)
    set -e tokens[1]
    set -l at
    for token in $tokens
        switch (string join -- ' ' $at $token)
            case ${paths}
                set at $at $token
        end
    end
    test "$at" = "$argv[1]"
end
complete -c ${program} -f
${lines.join("\n")}
`;
}
