import { expect } from "chai";
import { encodeCall } from "../../../src/ledger/calls.ts";
import { KEY_PURPOSES } from "../../../src/ledger/deployment/config.ts";
import { holdsKey, openRegistry } from "../../../src/ledger/registry.ts";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import { ALIPAY_HK, fundedLedger, GCASH } from "../support/chain.ts";
import { asGovernance } from "../support/governance.ts";

const VALID_UNTIL = 2 ** 40;

describe("the registry, as a relay follows it", function () {
  it("knows of no key of a partner whose admin governance replaced, but those that the new admin grants", async () => {
    const sandbox = await fundedLedger();
    const { ledger, keys } = sandbox;
    const raise = (error: unknown): never => {
      throw error;
    };
    const options = { clock: systemClock, fromBlock: 0, maxBlockRange: 1_000, timeToLiveMs: 0, onError: raise };
    const registry = openRegistry(ledger, options);
    const key = keys.addressOf({ kind: "operator", partner: ALIPAY_HK });
    const mayAccept = async () => {
      const partner = (await registry.refresh()).partners.get(ALIPAY_HK);
      const held = partner !== undefined && holdsKey(partner, key, "accept", VALID_UNTIL - 1);
      return [held, partner?.keys.size, partner?.status];
    };
    const authorize = async () => {
      const args = [ALIPAY_HK, key, KEY_PURPOSES.accept, VALID_UNTIL];
      const admin = await sandbox.submitterOf({ kind: "admin", partner: GCASH });
      await admin.submit(encodeCall("partnerRegistry", ledger.addresses.partnerRegistry, "authorizeKey", args));
    };

    const before = (await registry.refresh()).partners.get(ALIPAY_HK)?.keys.size;
    expect(before).to.equal(1);
    const next = keys.addressOf({ kind: "admin", partner: GCASH });
    await asGovernance(sandbox, "registrar", "partnerRegistry", "setAdmin", [ALIPAY_HK, 0, next]);
    expect(await mayAccept()).to.deep.equal([false, 0, "suspended"]);
    await authorize();
    expect(await mayAccept()).to.deep.equal([true, 1, "suspended"]);
  });
});
