// Who may import whom. The folder list is the architecture; this file holds it to that.

/** Package -> the packages that it may import. docs/pictures/packages.svg and docs/architecture.md show it. */
export const allowed = {
  base: [],
  tlog: [],
  witness: ["base", "tlog"],
  envelope: [],
  kms: ["base", "tlog", "witness"],
  vault: ["base", "envelope", "tlog", "witness"],
  client: [],
  server: ["base", "vault"],
  cli: ["base", "client", "envelope", "kms", "vault", "server", "tlog"],
};

const betweenPackages = Object.entries(allowed).map(([from, targets]) => ({
  name: `${from}-imports-only-${targets.join("-") || "itself"}`,
  comment: `packages/${from} may import ${targets.length === 0 ? "no sibling package" : targets.join(", ")}.`,
  severity: "error",
  from: { path: `^packages/${from}/src` },
  to: { path: "^packages/", pathNot: `^packages/(${[from, ...targets].join("|")})/` },
}));

/** Inside the envelope package: folder -> the folders of that package it may import. */
const envelopeFolders = {
  format: ["errors"],
  crypto: ["errors"],
  keyrings: ["format", "crypto", "errors"],
  resilience: ["errors"],
  "multi-region": ["crypto", "errors", "format", "keyrings", "resilience"],
};

/** What every room needs to refuse what callers hand in. */
const EVERYWHERE = ["error-table", "options"];

const betweenEnvelopeFolders = Object.entries(envelopeFolders).map(([from, targets]) => ({
  name: `envelope-${from}-knows-only-${targets.join("-")}`,
  comment: `packages/envelope/src/${from} may import only ${targets.join(", ")}.`,
  severity: "error",
  from: { path: `^packages/envelope/src/${from}/` },
  to: {
    path: "^packages/envelope/src/",
    pathNot: `^packages/envelope/src/(${[from, ...targets, ...EVERYWHERE].join("|")})(/|\\.ts)`,
  },
}));

export default {
  forbidden: [
    ...betweenPackages,
    ...betweenEnvelopeFolders,
    {
      name: "only-crypto-calls-node-crypto",
      comment: "In the envelope package every cryptographic primitive is called from src/crypto.",
      severity: "error",
      from: { path: "^packages/envelope/src", pathNot: "^packages/envelope/src/crypto/" },
      to: { path: "^(node:)?crypto$" },
    },
    {
      name: "envelope-has-no-runtime-dependency",
      comment: "The audit boundary is the package boundary: nothing from npm inside the envelope.",
      severity: "error",
      from: { path: "^packages/envelope/src" },
      to: { dependencyTypes: ["npm", "npm-dev", "npm-peer", "npm-optional", "npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "tlog-hashes-and-signs-only",
      comment: "Transparency logs here are hashing and signatures: no storage, no network, nothing from npm.",
      severity: "error",
      from: { path: "^packages/tlog/src" },
      to: { pathNot: "^packages/tlog/src/|^(node:)?crypto$" },
    },
    {
      name: "siblings-only-through-their-exports",
      comment: "A package is imported by its name, never by a path into its sources.",
      severity: "error",
      from: { path: "^packages/([^/]+)/src" },
      to: { path: "^packages/[^/]+/src", pathNot: "^packages/$1/", dependencyTypes: ["local"] },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-undeclared-packages",
      severity: "error",
      from: { path: "^packages/[^/]+/src" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown", "npm-dev"] },
    },
    {
      name: "resolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/dist/|^packages/[^/]+/build/" },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@strongroom/source", "import", "node", "default", "types"],
      extensions: [".ts", ".js", ".mjs", ".json"],
    },
  },
};
