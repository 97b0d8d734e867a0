import stylistic from "@stylistic/eslint-plugin";
import tseslint from "typescript-eslint";

/**
 * Every argument of a call takes a place on the stack: a spread of as many as came in ends it with a RangeError. A
 * CONSTANT has as many as were written down.
 */
const SPREAD_ARGUMENTS = {
  selector: ":matches(CallExpression, NewExpression) > SpreadElement.arguments:not([argument.name=/^[A-Z_]+$/])",
  message: "Loop, concat or reduce. If the count is bounded, say by what where you disable this rule.",
};

export default tseslint.config(
  {
    ignores: [
      "**/dist/**",
      "packages/*/build/**",
      "site/**",
      "**/node_modules/**",
      "**/.revisions/**",
      "**/*.d.ts",
      "packages/client/src/api-*.ts",
    ],
  },
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "@stylistic": stylistic },
    rules: {
      // The build wants exports annotated (isolatedDeclarations), also those that this rule thinks plain.
      "@typescript-eslint/no-inferrable-types": "off",
      eqeqeq: "error",
      // Prettier breaks code and leaves words alone; a sentence with values in it may run on.
      "@stylistic/max-len": ["error", { code: 120, ignoreUrls: true, ignoreTemplateLiterals: true }],
      "no-console": "error",
      "max-lines": ["error", { max: 450, skipBlankLines: false, skipComments: false }],
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // Index signatures are read with brackets (noPropertyAccessFromIndexSignature).
      "@typescript-eslint/dot-notation": "off",
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    files: ["packages/*/src/**/*.ts", "scripts/**/*.ts"],
    rules: { "no-restricted-syntax": ["error", SPREAD_ARGUMENTS] },
  },
  {
    files: ["**/test/**/*.ts", "**/test-long/**/*.ts", "examples/**/*.ts", "scripts/**/*.ts", "tests/**/*.ts"],
    rules: {
      "no-console": "off",
      // Known answers and the names of tests are not cut.
      "@stylistic/max-len": "off",
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            {
              from: "package",
              package: "node:test",
              name: ["test", "it", "describe", "suite", "before", "after", "beforeEach", "afterEach"],
            },
          ],
        },
      ],
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
    },
  },
  {
    // Tests as well, that are published: what they assert they know to be there.
    files: ["packages/vault/src/store-contract/**/*.ts"],
    rules: { "@typescript-eslint/no-non-null-assertion": "off", "no-restricted-syntax": "off" },
  },
);
