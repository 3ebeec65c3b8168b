import { createRequire } from "node:module";
import hardhatEthers from "@nomicfoundation/hardhat-ethers";
import hardhatEthersChaiMatchers from "@nomicfoundation/hardhat-ethers-chai-matchers";
import hardhatIgnitionEthers from "@nomicfoundation/hardhat-ignition-ethers";
import hardhatMocha from "@nomicfoundation/hardhat-mocha";
import hardhatNetworkHelpers from "@nomicfoundation/hardhat-network-helpers";
import hardhatTypechain from "@nomicfoundation/hardhat-typechain";
import { defineConfig } from "hardhat/config";

const require = createRequire(import.meta.url);

export default defineConfig({
  plugins: [
    hardhatEthers,
    hardhatEthersChaiMatchers,
    hardhatIgnitionEthers,
    hardhatMocha,
    hardhatNetworkHelpers,
    hardhatTypechain,
  ],
  solidity: {
    // The compiler comes from npm, so that a build needs no download and the lockfile pins it.
    version: "0.8.37",
    path: require.resolve("solc/soljson.js"),
    // Deployed as it is, so its artifact is needed although no contract of ours imports it.
    npmFilesToBuild: ["@openzeppelin/contracts/access/manager/AccessManager.sol"],
    settings: {
      evmVersion: "cancun",
      viaIR: true,
      optimizer: { enabled: true, runs: 1_000_000 },
    },
  },
  networks: {
    default: { type: "edr-simulated", chainType: "l1", hardfork: "cancun" },
    // A developer's own node, started by `npx hardhat node`.
    localhost: { type: "http", chainType: "l1", url: process.env["FEIQIAN_RPC_URL"] ?? "http://127.0.0.1:8545" },
    // The four validators that `npm run network:bft` starts, and the accounts that they give money for fees.
    bft: {
      type: "http",
      chainType: "l1",
      url: process.env["FEIQIAN_BFT_RPC_URL"] ?? "http://127.0.0.1:8545",
      accounts: { mnemonic: "test test test test test test test test test test test junk", count: 20 },
    },
  },
  // Blocks are final on the ledgers that this is deployed on.
  ignition: { requiredConfirmations: 1 },
  // The Solidity tests have a configuration of their own: test/solidity/hardhat.config.ts.
  paths: { tests: { mocha: "test/contracts", solidity: "test/contracts/helpers" } },
  typechain: { outDir: "types/ethers-contracts", tsNocheck: true },
});
