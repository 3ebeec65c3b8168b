import { expect } from "chai";
import { deploySuccessor } from "../../../ignition/succeed.ts";
import { requireWired } from "../../../src/app/store-owner.ts";
import { ConfigError } from "../../../src/kernel/config-error.ts";
import { miswirings } from "../../../src/ledger/miswirings.ts";
import { connectLedger, type LedgerAddresses } from "../../../src/ledger/contracts.ts";
import { encodeCall } from "../../../src/ledger/calls.ts";
import { formatAddresses, parseAddresses } from "../../../src/ledger/deployment/config-file.ts";
import {
  RENEWED,
  successionSteps,
  type GovernanceStep,
  type Renewal,
} from "../../../src/ledger/deployment/succession.ts";
import { verifySuccessors } from "../../../src/ledger/deployment/successors.ts";
import { differences, verifyDeployment } from "../../../src/ledger/deployment/verify.ts";
import { CONFIG, connection, freshLedger, provider } from "../support/chain.ts";
import { govern } from "../support/governance.ts";

/** What differs on a ledger that has moved on, from the first block to the latest. */
async function findings(addresses: LedgerAddresses): Promise<string[]> {
  const range = { fromBlock: 0, toBlock: await provider.getBlockNumber() };
  const ledger = await connectLedger(provider, addresses);
  const settings = [
    ...(await verifyDeployment(ledger, CONFIG, { toBlock: addresses.deployedBy })),
    ...(await verifySuccessors(ledger, CONFIG, range)),
  ];
  expect(new Set(settings.map(({ name }) => name)).size, "distinct names").to.equal(settings.length);
  return differences(settings).map(({ name }) => name);
}

describe("A ledger that moves on", () => {
  for (const renewal of Object.keys(RENEWED) as Renewal[]) {
    it(`by a new ${renewal} is as configured once governance has done what is printed, and not before`, async () => {
      const sandbox = await freshLedger();
      const next = await deploySuccessor(connection, CONFIG, sandbox.ledger.addresses, renewal);
      expect(parseAddresses(formatAddresses(next))).to.deep.equal(next);
      const { announce, activate, drain } = successionSteps(next, CONFIG);
      expect(await findings(next)).not.to.deep.equal([]);
      await govern(sandbox, announce);
      // At once: the upgrader's delay is as long as the notice, and the announcement good for as long again.
      await govern(sandbox, activate);
      const draining = new RegExp(`status now of module ${sandbox.ledger.addresses.transferRegistry}$`);
      for (const finding of await findings(next)) expect(finding).to.match(draining);
      await govern(sandbox, drain);
      expect(await findings(next)).to.deep.equal([]);
    });
  }

  it("moves on again, and names all that there were", async () => {
    const { ledger } = await freshLedger();
    const second = await deploySuccessor(connection, CONFIG, ledger.addresses, "treasury");
    const third = await deploySuccessor(connection, CONFIG, second, "registry");
    expect(third.draining).to.deep.equal([
      { transferRegistry: ledger.addresses.transferRegistry, treasury: ledger.addresses.treasury },
      { transferRegistry: second.transferRegistry },
    ]);
    expect(third.treasury).to.equal(second.treasury);
    expect(await miswirings(await connectLedger(provider, third))).to.deep.equal([]);
  });

  it("is refused with a registry on another treasury than its own, and with none where one is named", async () => {
    const { ledger } = await freshLedger();
    const next = await deploySuccessor(connection, CONFIG, ledger.addresses, "treasury");
    const found = async (addresses: LedgerAddresses) => miswirings(await connectLedger(provider, addresses));
    const { transferRegistry, treasury } = ledger.addresses;
    // As if the old one were on the new treasury: its money would be missing.
    const forgotten = await found({ ...next, draining: [{ transferRegistry }] });
    const mistake = { registry: transferRegistry, contract: "treasury", named: next.treasury, found: treasury };
    expect(forgotten).to.deep.equal([mistake]);
    const [old, current] = [transferRegistry, next.transferRegistry];
    expect(() => {
      requireWired(forgotten);
    }).to.throw(ConfigError, `the registry ${old} was made with the treasury ${treasury}, not ${next.treasury}`);
    const nothing = await found({ ...next, announced: [{ transferRegistry: `0x${"07".repeat(20)}` }] });
    expect(new Set(nothing.map((each) => each.found))).to.deep.equal(new Set([undefined]));
    expect(nothing.every(({ registry }) => registry !== current)).to.equal(true);
    expect(() => {
      requireWired(nothing);
    }).to.throw(ConfigError, "there is no registry of batches");
  });

  it("is found to be otherwise, by name, when the new registry is another contract", async () => {
    const { ledger } = await freshLedger();
    const next = await deploySuccessor(connection, CONFIG, ledger.addresses, "registry");
    const other = { ...CONFIG, clock: { beatIntervalSeconds: 7, graceSeconds: 21 } };
    const range = { fromBlock: 0, toBlock: await provider.getBlockNumber() };
    const settings = differences(await verifySuccessors(await connectLedger(provider, next), other, range));
    const title = `transferRegistry ${next.transferRegistry}`;
    expect(settings.map(({ name }) => name)).to.include.members([
      `history: creation of ${title}`,
      `${title}: beatInterval`,
      `${title}: grace`,
    ]);
  });

  it("is found to be otherwise when its new treasury has a module that nobody names", async () => {
    const sandbox = await freshLedger();
    const { addresses } = sandbox.ledger;
    const next = await deploySuccessor(connection, CONFIG, addresses, "treasury");
    const hostile = addresses.quoteBook;
    const { announce } = successionSteps(next, CONFIG);
    const calls = ["announceModule", "activateModule"].map((name): GovernanceStep => {
      return { role: "upgrader", what: name, ...encodeCall("treasury", next.treasury, name, [hostile, 1]) };
    });
    await govern(sandbox, [...announce, ...calls]);
    expect(await findings(next)).to.include(`treasury ${next.treasury}: status now of module ${hostile}`);
  });
});
