// Who may import whom: the table of docs/architecture.md, as rules. A folder that is not named for `src/x` below may not
// be imported from there.

/** What each folder of ours may import of ours, besides itself. */
const mayImport = {
  "src/domain": [],
  "src/schema": ["src/domain"],
  "src/kernel": ["src/domain", "src/schema"],
  "src/ledger": ["src/domain", "src/kernel"],
  "src/command": ["src/domain", "src/schema", "src/kernel", "sdk"],
  "src/features": ["src/domain", "src/schema", "src/kernel", "src/ledger", "src/command", "sdk"],
  "src/app": ["src/domain", "src/schema", "src/kernel", "src/ledger", "src/features"],
  sdk: ["src/domain", "src/schema", "src/kernel", "src/ledger"],
  "src/cli": [
    "src/domain",
    "src/schema",
    "src/kernel",
    "src/ledger",
    "src/command",
    "src/features",
    "src/app",
    "sdk",
    "deploy/besu",
  ],
  sandbox: ["src/domain", "src/schema", "src/kernel", "src/ledger", "src/features", "src/app", "sdk", "deploy/bft"],
  "deploy/besu": ["src/domain", "src/kernel"],
  "deploy/bft": ["src/domain", "src/kernel"],
};

/** What each feature may import of other features. There are no circles among them. */
const featuresMayImport = {
  wallet: [],
  peers: ["wallet"],
  partners: ["peers", "wallet"],
  pricing: ["partners"],
  liquidity: ["pricing"],
  notifications: [],
  requests: ["wallet", "peers", "partners"],
  remittance: ["wallet", "peers", "partners", "pricing", "liquidity", "requests"],
  reconciliation: ["remittance"],
  statistics: ["remittance"],
  operators: [],
};

const OURS = "^(src|sdk|sandbox|deploy|scripts|test|ignition)/";

const folderRules = Object.entries(mayImport).map(([folder, allowed]) => ({
  name: folder.replaceAll("/", "-"),
  comment: `${folder} imports ${allowed.length === 0 ? "nothing of ours" : allowed.join(", ")}.`,
  severity: "error",
  from: { path: `^${folder}/` },
  to: { path: OURS, pathNot: `^(${[folder, ...allowed].join("|")})/` },
}));

const featureRules = Object.entries(featuresMayImport).map(([feature, allowed]) => ({
  name: `feature-${feature}`,
  comment: `Of other features, ${feature} imports ${allowed.length === 0 ? "none" : allowed.join(", ")}.`,
  severity: "error",
  from: { path: `^src/features/${feature}/` },
  to: { path: "^src/features/[^/]+/", pathNot: `^src/features/(${[feature, ...allowed].join("|")})/` },
}));

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...folderRules,
    ...featureRules,
    {
      name: "commands-apart",
      comment: "A feature's commands speak to a relay from outside, as a wallet does: nothing else of it knows them.",
      severity: "error",
      from: { path: "^src/features/", pathNot: "(/commands(\\.ts$|/)|^src/features/context\\.ts$)" },
      to: { path: "^(src/command|sdk)/" },
    },
    {
      name: "feature-in-table",
      comment: "Every feature has its row in the table; beside them stands only what they all work with.",
      severity: "error",
      from: {},
      to: {
        path: "^src/features/",
        pathNot: `^src/features/(context\\.ts$|(${Object.keys(featuresMayImport).join("|")})/)`,
      },
    },
    {
      name: "folder-in-table",
      comment: "Every folder has its row in the table; src/ and deploy/ themselves hold no modules.",
      severity: "error",
      from: {},
      to: { path: "^(src|sdk|sandbox|deploy)/", pathNot: `^(deploy/example|${Object.keys(mayImport).join("|")})/` },
    },
    {
      name: "no-import-of-entry-points",
      comment: "Scripts and tests are entry points: only their own kind builds on them.",
      severity: "error",
      from: { pathNot: "^(scripts|test)/" },
      to: { path: "^(scripts|test)/" },
    },
    {
      name: "no-import-of-sandbox",
      comment: "The sandbox is for demos and tests: the product does not know it.",
      severity: "error",
      from: { pathNot: "^(examples|scripts|test|sandbox)/" },
      to: { path: "^sandbox/" },
    },
    {
      name: "generated-types-only-in-ledger",
      comment: "The ledger folder is the only place that knows the chain; bindings are types, not code to run.",
      severity: "error",
      from: { pathNot: "^(src/ledger|test|types)/" },
      to: { path: "^types/" },
    },
    {
      name: "generated-types-as-types",
      comment: "Node strips types: the bindings cannot be run, so they are imported with `import type`.",
      severity: "error",
      from: { pathNot: "^types/" },
      to: { path: "^types/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "no-circular",
      severity: "error",
      from: { pathNot: "^types/" },
      to: { circular: true },
    },
    {
      name: "no-dead-modules",
      comment: "A module that no program, script, test or deployment leads to is dead.",
      severity: "error",
      from: { path: "^(bin|examples|scripts|test|ignition)/" },
      to: { path: "^(src|sdk|sandbox|deploy)/", reachable: false },
    },
    {
      name: "no-orphans",
      comment: "A module with no connection to any other is dead, unless it is where a program or a tool starts.",
      severity: "error",
      from: {
        orphan: true,
        pathNot: ["^(bin|examples|scripts|test|ignition)/", "^types/", "(^|/)[^/]+\\.config\\.(ts|js)$"],
      },
      to: {},
    },
    {
      name: "no-dev-dependency-at-run-time",
      comment: "What relays, wallets and the generator need at run time is installed there. Types vanish before that.",
      severity: "error",
      from: { path: "^(bin|src|sdk|deploy/besu)/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "no-compiler-output",
      comment:
        "Whoever installs has no compiler: src/ledger/compiled has what is needed of its output (npm run compiled).",
      severity: "error",
      from: { path: "^(bin|src|sdk|deploy|sandbox)/" },
      to: { path: "^(artifacts|cache|coverage)/" },
    },
    {
      name: "no-undeclared-dependency",
      comment: "Only what package.json names is sure to be installed.",
      severity: "error",
      from: {},
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "not-to-unresolvable",
      severity: "error",
      from: { pathNot: "^types/" },
      to: { couldNotResolve: true, dependencyTypesNot: ["type-only"] },
    },
    {
      name: "no-chain-outside-ledger",
      comment: "src/ledger turns chain types into domain types at the border.",
      severity: "error",
      from: { path: "^(src|sdk)/", pathNot: "^src/ledger/" },
      to: { path: "node_modules/(ethers|hardhat|@nomicfoundation|@typechain)/" },
    },
  ],
  options: {
    doNotFollow: { path: "^(node_modules|artifacts|cache|coverage)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node", "default"] },
    detectProcessBuiltinModuleCalls: true,
    skipAnalysisNotInRules: true,
  },
};
