// The project's configuration for a build with coverage: what it compiles is instrumented, so it is kept apart from the
// artifacts that everything else deploys and measures.
import config from "../../hardhat.config.ts";

export default {
  ...config,
  paths: { ...config.paths, artifacts: "coverage/artifacts", cache: "coverage/cache" },
  typechain: { ...config.typechain, dontOverrideCompile: true },
};
