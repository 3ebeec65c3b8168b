// The project's configuration for a mutant's tests: the artifacts of a workshop, which are not compiled again and are too
// large for a real ledger, since nobody optimised them.
import config from "../../hardhat.config.ts";

const workshop = process.env["FEIQIAN_MUTATION_WORKSHOP"];
if (workshop === undefined) throw new Error("FEIQIAN_MUTATION_WORKSHOP: the folder with a mutant's artifacts");

export default {
  ...config,
  networks: { default: { ...config.networks?.["default"], allowUnlimitedContractSize: true } },
  paths: { ...config.paths, artifacts: `${workshop}/artifacts`, cache: `${workshop}/cache` },
  // A whole run has a limit; that of a single test would be a matter of the machine's speed.
  test: { mocha: { reporter: "tap", timeout: 0 } },
  typechain: { ...config.typechain, dontOverrideCompile: true },
};
