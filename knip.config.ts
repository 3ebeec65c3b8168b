import type { KnipConfig } from "knip";

// Exports, files and dependencies that nothing uses. `npm run exports` asks twice: of everything; and, with --production,
// of what is not a test (the patterns that end in "!"), so that nothing is there for tests alone. What is a seam for
// tests on purpose says so, with @internal and the reason, where it is declared.
const isProduction = process.argv.includes("--production");

export default {
  entry: [
    "bin/*.js!",
    "scripts/*.{ts,js}!",
    // Programs that a benchmark starts by their path.
    "scripts/bench/*-process.ts!",
    "scripts/**/hardhat.config.ts!",
    "examples/*.ts!",
    "sdk/{index,receipts}.ts!",
    "ignition/modules/*.ts!",
    // Operators run the conformance suite on their ledgers.
    "test/network/conformance/*.test.ts!",
    "test/!(network)/**/*.test.ts",
    "test/network/*.test.ts",
    "test/**/hardhat.config.ts",
    // Programs that tests start by their path.
    "test/network/bft-process.ts",
    ".ci/*.js",
  ],
  project: ["{bin,deploy,examples,ignition,sandbox,scripts,sdk,src}/**/*.{ts,js}!", "test/!(network)/**/*.ts"],
  // What a file uses itself need not be exported. A type that an exported function's signature has may be; and a test may
  // look at a part of what the product uses as a whole.
  ignoreExportsUsedInFile: isProduction ? true : { interface: true, type: true },
  ignoreDependencies: [
    // Imported by Solidity, and by a path that is put together.
    "@openzeppelin/contracts",
    "@fawazahmed0/currency-api",
    // Asked for by hardhat-typechain as peers.
    "@typechain/ethers-v6",
    "typechain",
    // Commands that people and scripts run.
    "c8",
  ],
  // Programs of Linux.
  ignoreBinaries: ["nsenter", "unshare"],
} satisfies KnipConfig;
