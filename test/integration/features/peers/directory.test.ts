import { expect } from "chai";
import { encodeCall } from "../../../../src/ledger/calls.ts";
import { generatePeerKeys, publicPeerKeys } from "../../../../src/features/peers/keys.ts";
import { registryDirectory } from "../../../../src/features/peers/directory.ts";
import { fundedLedger, GCASH } from "../../support/chain.ts";
import { testClock } from "../../support/relay-context.ts";

describe("who a partner's relay is", () => {
  it("is read anew once it is old, and at once where the clock was set back", async () => {
    const sandbox = await fundedLedger();
    const clock = testClock();
    const directory = registryDirectory(sandbox.ledger, clock);
    const admin = await sandbox.submitterOf({ kind: "admin", partner: GCASH });
    const at = async (): Promise<string | undefined> => (await directory.find(GCASH))?.url;
    const move = async (url: string) => {
      const endpoint = { url, ...publicPeerKeys(generatePeerKeys()) };
      const { partnerRegistry } = sandbox.ledger.addresses;
      await admin.submit(encodeCall("partnerRegistry", partnerRegistry, "setEndpoint", [GCASH, endpoint]));
    };
    await move("http://first.test");
    expect(await at()).to.equal("http://first.test");
    await move("http://second.test");
    expect(await at(), "for a while").to.equal("http://first.test");
    clock.advance(15_000);
    expect(await at()).to.equal("http://second.test");
    await move("http://third.test");
    clock.advance(-3_600_000);
    expect(await at()).to.equal("http://third.test");
  });
});
