import { startNetworkProcess, type NetworkProcess } from "../support/network-process.ts";
import { describeRelayPackage } from "./relay.ts";
import { describeSdkPackage } from "./sdk.ts";
import { describeVersions, PREVIOUS_RELEASE_PARTNER } from "./versions.ts";

describe("What others install", () => {
  let running: NetworkProcess;

  // Before anything is installed: npm's many connections could take the ports that the network has chosen.
  before(async () => {
    running = await startNetworkProcess("--own-relay", String(PREVIOUS_RELEASE_PARTNER));
  });
  after(async () => running.end());

  describeSdkPackage(() => running);
  describeRelayPackage(() => running);
  describeVersions(() => running);
});
