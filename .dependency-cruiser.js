// Who may import whom: the table of docs/architecture.md, as rules. A folder that is not named for `src/x` below may not
// be imported from there.

/** What each folder of src/ may import of ours, besides itself. */
const mayImport = {
  domain: [],
  platform: [],
  contract: ["domain"],
  ledger: ["domain", "platform"],
  store: ["domain", "platform"],
  relay: ["domain", "platform", "ledger", "store", "contract"],
  api: ["domain", "platform", "ledger", "store", "relay", "contract"],
  sdk: ["domain", "platform", "ledger", "contract"],
  service: ["domain", "platform", "ledger", "store", "relay", "api", "contract"],
  cli: ["domain", "platform", "ledger", "store", "relay", "contract", "sdk", "service"],
  sandbox: ["domain", "platform", "ledger", "store", "relay", "api", "contract", "sdk", "service"],
};

/** Parts of network/ that a folder of src/ may import, besides. */
const mayImportOfNetwork = { cli: ["besu"] };

/** What each folder of network/ may import of src/; of network/ it imports itself. */
const networkMayImport = { besu: ["domain", "platform"], bft: ["domain", "platform"] };

const OURS = "^(src|network|scripts|test|ignition)/";

/**
 * @param {string} folder
 * @param {readonly string[]} allowed
 */
const folderRule = (folder, allowed) => ({
  name: folder.replaceAll("/", "-"),
  comment: `${folder} imports ${allowed.length === 0 ? "nothing of ours" : allowed.join(", ")}.`,
  severity: "error",
  from: { path: `^${folder}/` },
  to: { path: OURS, pathNot: `^(${[folder, ...allowed].join("|")})/` },
});

const folderRules = [
  ...Object.entries(mayImport).map(([folder, allowed]) =>
    folderRule(`src/${folder}`, [
      ...allowed.map((name) => `src/${name}`),
      ...(mayImportOfNetwork[folder] ?? []).map((name) => `network/${name}`),
    ]),
  ),
  ...Object.entries(networkMayImport).map(([folder, allowed]) =>
    folderRule(
      `network/${folder}`,
      allowed.map((name) => `src/${name}`),
    ),
  ),
];

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...folderRules,
    {
      name: "src-folder-in-table",
      comment: "Every folder of src/ has its row in the table; src/ itself holds no files.",
      severity: "error",
      from: {},
      to: { path: "^src/", pathNot: `^src/(${Object.keys(mayImport).join("|")})/` },
    },
    {
      name: "network-folder-in-table",
      comment: "Every folder of network/ has its row in the table; network/ itself holds no modules.",
      severity: "error",
      from: {},
      to: { path: "^network/", pathNot: `^network/(example|${Object.keys(networkMayImport).join("|")})/` },
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
      from: { pathNot: "^(examples|scripts|test|src/sandbox)/" },
      to: { path: "^src/sandbox/" },
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
      to: { path: "^(src|network)/", reachable: false },
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
      name: "no-dev-dependency-from-src",
      comment: "What src/ and the generator need at run time is installed where they run. Types vanish before that.",
      severity: "error",
      from: { path: "^(src|network/besu)/", pathNot: "^src/sandbox/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
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
      from: { path: "^src/", pathNot: "^src/(ledger|sandbox)/" },
      to: { path: "node_modules/(ethers|hardhat|@nomicfoundation|@typechain)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(artifacts|cache|coverage)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node", "default"] },
    detectProcessBuiltinModuleCalls: true,
    skipAnalysisNotInRules: true,
  },
};
