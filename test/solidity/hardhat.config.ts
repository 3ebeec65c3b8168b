// The project's configuration for the Solidity tests. What they test is deployed from the artifacts that partners run;
// the tests themselves are compiled the quick way: the optimizer and the IR would take minutes for code whose gas is
// nobody's concern.
import { createRequire } from "node:module";
import config from "../../hardhat.config.ts";

function countOf(variable: string, ordinary: number): number {
  return Number.parseInt(process.env[variable] ?? String(ordinary), 10);
}

const seed = process.env["FEIQIAN_FUZZ_SEED"] ?? `0x${"1".padStart(64, "0")}`;

export default {
  ...config,
  solidity: {
    version: "0.8.37",
    path: createRequire(import.meta.url).resolve("solc/soljson.js"),
    settings: { evmVersion: "cancun", optimizer: { enabled: false } },
  },
  paths: {
    artifacts: "cache/solidity-tests/artifacts",
    cache: "cache/solidity-tests/cache",
    tests: { mocha: "test/contracts", solidity: "test/solidity" },
  },
  typechain: { ...config.typechain, dontOverrideCompile: true },
  test: {
    // The defaults are those of `npm run test:heavy`: 27,000 calls over all invariants, from a fixed seed.
    // `npm run test:invariants` asks for more of them, from a new seed.
    solidity: {
      // `deployBuilt` reads them.
      fsPermissions: { readDirectory: ["artifacts"] },
      fuzz: { runs: countOf("FEIQIAN_FUZZ_RUNS", 256), seed },
      invariant: {
        runs: countOf("FEIQIAN_INVARIANT_RUNS", 30),
        depth: countOf("FEIQIAN_INVARIANT_DEPTH", 100),
        // A handler that reverts is wrong: it checks the refusals that it provokes itself.
        failOnRevert: true,
        // A history that failed is told as it was: to make one of 16,000 calls shorter takes longer than all the tests.
        // FEIQIAN_INVARIANT_SHRINKS=500 makes the others' shorter.
        shrinkRunLimit: countOf("FEIQIAN_INVARIANT_SHRINKS", 1),
        // Handlers draw what they do from numbers: what a dictionary adds is time.
        dictionaryWeight: 0,
        includeStorage: false,
        includePushBytes: false,
      },
    },
  },
};
