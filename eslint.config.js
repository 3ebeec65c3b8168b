// @ts-check
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";
import { reasons } from "./eslint.rules.js";

/** Bans that hold everywhere: each entry of `no-restricted-syntax` replaces the whole list, so lists are put together. */
const money = [
  {
    selector: "CallExpression[callee.name='Number'], CallExpression > Identifier.arguments[name='Number']",
    message:
      "Number() loses digits above 2^53: amounts stay bigint; read a small integer with Number.parseInt(text, 10).",
  },
  {
    selector:
      "CallExpression[callee.name=/^parse(Float|Int)$/], MemberExpression[object.name='Number'][property.name='parseFloat'], Identifier.arguments[name='parseFloat']",
    message: "No floating point touches money, and integers are read with Number.parseInt(text, 10).",
  },
  {
    selector: "UnaryExpression[operator='+']",
    message: "Unary plus makes a number of anything: amounts stay bigint; read a small integer with Number.parseInt.",
  },
];

const namedExports = [
  {
    selector: "ExportDefaultDeclaration",
    message: "Export by name: a default export has a different name in every file that imports it.",
  },
];

/** Clock and randomness arrive as parameters, so that a run can be repeated. */
const ambient = [
  {
    selector:
      "CallExpression[callee.object.name=/^(Date|performance)$/][callee.property.name='now'], NewExpression[callee.name='Date'][arguments.length=0]",
    message: "The clock arrives as a parameter (src/kernel/clock has the real one).",
  },
  {
    selector:
      "CallExpression[callee.object.name='Math'][callee.property.name='random'], CallExpression[callee.property.name=/^(randomUUID|randomBytes|getRandomValues|randomInt)$/], CallExpression[callee.name=/^(randomUUID|randomBytes|randomInt)$/]",
    message: "Randomness arrives as a parameter (src/kernel/secure-random.ts has the real source).",
  },
];

const focusedTests = [
  {
    selector: "MemberExpression[object.name=/^(describe|context|it|specify)$/][property.name='only']",
    message: "A focused test hides every other one.",
  },
];

const sources = ["src/**/*.ts", "sdk/**/*.ts", "sandbox/**/*.ts", "deploy/**/*.ts"];
const tests = ["test/**/*.ts"];
const configs = ["**/*.config.ts", "*.config.js", ".dependency-cruiser.js", "ignition/**/*.ts"];

export default defineConfig(
  globalIgnores([
    "artifacts/",
    "cache/",
    "coverage/",
    "dist/",
    "types/",
    "ignition/deployments/",
    "src/ledger/compiled/",
    // AssemblyScript: another language, and another compiler.
    "assembly/",
  ]),
  { linterOptions: { reportUnusedDisableDirectives: "error", reportUnusedInlineConfigs: "error" } },
  {
    plugins: { feiqian: reasons },
    rules: {
      "feiqian/disable-carries-reason": "error",
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
      "no-cond-assign": "error",
      "no-constant-binary-expression": "error",
      "no-constant-condition": "error",
      "no-control-regex": "error",
      "no-debugger": "error",
      "no-empty": "error",
      "no-fallthrough": "error",
      "no-irregular-whitespace": "error",
      "no-loss-of-precision": "error",
      "no-misleading-character-class": "error",
      "no-promise-executor-return": "error",
      "no-restricted-syntax": ["error", ...money, ...namedExports],
      "no-self-assign": "error",
      "no-self-compare": "error",
      "no-shadow-restricted-names": "error",
      "no-sparse-arrays": "error",
      "no-unmodified-loop-condition": "error",
      "no-unreachable-loop": "error",
      "no-unsafe-finally": "error",
      "no-useless-assignment": "error",
      "no-useless-catch": "error",
      "no-useless-escape": "error",
      "no-useless-rename": "error",
      "no-useless-return": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
      "preserve-caught-error": "error",
    },
  },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/ban-ts-comment": ["error", { minimumDescriptionLength: 10 }],
      "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "separate-type-imports" }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // How a feature adds what it has declared to a type of the kernel's.
      "@typescript-eslint/no-empty-object-type": ["error", { allowInterfaces: "with-single-extends" }],
      // A string spreads into its code points, which is what is wanted of it here.
      "@typescript-eslint/no-misused-spread": ["error", { allow: ["string"] }],
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true },
      ],
      "@typescript-eslint/prefer-nullish-coalescing": "error",
      "@typescript-eslint/prefer-optional-chain": "error",
      // Integers and bigints print the same everywhere; objects and undefined do not.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ["**/*.{js,cjs}"],
    languageOptions: { globals: { process: "readonly", console: "readonly" } },
    rules: { "no-undef": "error", "no-unused-vars": ["error", { varsIgnorePattern: "^_" }] },
  },
  {
    files: sources,
    rules: {
      "feiqian/cast-carries-reason": "error",
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "max-lines-per-function": ["error", { max: 70, skipBlankLines: true, skipComments: true }],
      "no-console": "error",
      "no-restricted-syntax": ["error", ...money, ...namedExports, ...ambient],
    },
  },
  {
    // The real clock and the real source of randomness live here.
    files: ["src/kernel/clock/clock.ts", "src/kernel/secure-random.ts"],
    rules: { "no-restricted-syntax": ["error", ...money, ...namedExports] },
  },
  {
    // A command prints.
    files: ["src/cli/**/*.ts"],
    rules: { "no-console": "off" },
  },
  {
    files: ["scripts/**/*.{ts,js}"],
    rules: { "max-lines-per-function": ["error", { max: 70, skipBlankLines: true, skipComments: true }] },
  },
  {
    files: tests,
    rules: {
      // chai asserts by reading a property: expect(x).to.be.true
      "@typescript-eslint/no-unused-expressions": "off",
      "no-restricted-syntax": ["error", ...money, ...namedExports, ...focusedTests],
    },
  },
  {
    // Hardhat, Ignition and the tools load a default export.
    files: configs,
    rules: { "no-restricted-syntax": ["error", ...money] },
  },
);
