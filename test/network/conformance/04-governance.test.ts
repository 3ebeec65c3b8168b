import { expect } from "chai";
import { Wallet } from "ethers";
import { corridorId } from "../../../src/domain/corridor.ts";
import { normalizeHex, toHex } from "../../../src/domain/bytes/hex.ts";
import { cancelQuoteCall, encodeCall } from "../../../src/ledger/calls.ts";
import { openRegistry } from "../../../src/ledger/registry.ts";
import { corridorAt, latestHead } from "../../../src/ledger/state.ts";
import type { Call } from "../../../src/ledger/submitter.ts";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import { drawSecurely } from "../../../src/kernel/secure-random.ts";
import type { KeyHolder } from "../../../sandbox/network.ts";
import { registerEndpoint } from "../../../sandbox/sandbox.ts";
import { ALIPAY_HK, GCASH } from "../support/accounts.ts";
import { PROVIDER } from "../../support/transfers.ts";
import { makeBatch } from "../support/batches.ts";
import { makeSettlement } from "../../support/batches.ts";
import { everywhere } from "../support/everywhere.ts";
import { authorizeCall, HKD_TO_PHP, TERMS, useNetwork, type Network } from "../support/network.ts";
import { eventsOf, refusalOf } from "../support/watching.ts";

const START_TIMEOUT_MS = 300_000;
const ADMIN: KeyHolder = { kind: "admin", partner: ALIPAY_HK };

describe("who may do what, on every node:", function () {
  this.timeout(START_TIMEOUT_MS);
  let network: Network;

  before(async function () {
    network = await useNetwork(this);
  });

  const registryCall = (name: string, args: readonly unknown[]): Call =>
    encodeCall("partnerRegistry", network.addresses.partnerRegistry, name, args);
  const corridorCall = (name: string, args: readonly unknown[]): Call =>
    encodeCall("corridorBook", network.addresses.corridorBook, name, args);
  const registryOf = async () => {
    const latest = await network.first.provider.getBlockNumber();
    return everywhere(network, latest, "the registry of the partner", async ({ ledger }) => {
      const options = { clock: systemClock, fromBlock: network.fromBlock, maxBlockRange: 1_000, timeToLiveMs: 0 };
      const { partners } = await openRegistry(ledger, { ...options, onError: raise }).refresh();
      const found = partners.get(ALIPAY_HK);
      return { url: found?.url, status: found?.status, keys: [...(found?.keys.keys() ?? [])] };
    });
  };

  it("a partner's admin replaces its key: the new one opens batches, the old one no longer", async () => {
    const { submit, sandbox, accounts } = network;
    const old = accounts.keys.walletOf({ kind: "operator", partner: ALIPAY_HK });
    // Only signs, so it needs neither money nor permission.
    const fresh = new Wallet(toHex(drawSecurely(32)));
    await submit(authorizeCall(sandbox, ALIPAY_HK, fresh.address), ADMIN);
    await submit((await makeBatch(network, { signer: fresh })).open);
    await submit(registryCall("revokeKey", [ALIPAY_HK, old.address]), ADMIN);
    expect((await registryOf()).keys).to.deep.equal([normalizeHex(fresh.address)]);
    const refused = await refusalOf(submit((await makeBatch(network, { signer: old })).open));
    expect(refused.code).to.equal("PartnerRegistry_KeyNotAuthorized");

    await submit(authorizeCall(sandbox, ALIPAY_HK, old.address), ADMIN);
    await submit(registryCall("revokeKey", [ALIPAY_HK, fresh.address]), ADMIN);
    await submit((await makeBatch(network, { signer: old })).open);
  });

  it("a partner's admin says where its relay is", async () => {
    const key = toHex(drawSecurely(32));
    const url = "https://relay.example:8480/";
    await registerEndpoint(network.sandbox, ALIPAY_HK, { url, signingKey: key, encryptionKey: key });
    expect((await registryOf()).url).to.equal(url);
    const latest = await network.first.provider.getBlockNumber();
    const read = await everywhere(network, latest, "the endpoint", async ({ ledger }) => {
      const { signingKey, encryptionKey } = await ledger.partnerRegistry.endpointOf(ALIPAY_HK);
      return [signingKey, encryptionKey];
    });
    expect(read).to.deep.equal([key, key]);
  });

  it("another partner's admin does neither", async () => {
    const stranger: KeyHolder = { kind: "admin", partner: GCASH };
    const refused = await refusalOf(network.submit(registryCall("revokeKey", [ALIPAY_HK, ALIPAY_KEY]), stranger));
    expect(refused.code).to.equal("PartnerRegistry_NotAdmin");
  });

  it("the guardian suspends a partner at once, and the supervisor reactivates it", async () => {
    const { submit } = network;
    const suspended = await submit(registryCall("suspend", [ALIPAY_HK]), { kind: "guardian" });
    expect(await eventsOf(network, suspended)).to.have.length(1);
    expect((await registryOf()).status).to.equal("suspended");
    const refused = await refusalOf(submit((await makeBatch(network)).open));
    expect(refused.code).to.equal("PartnerRegistry_PartnerNotActive");
    const { statusEpoch } = await network.first.ledger.partnerRegistry.standingOf(ALIPAY_HK);
    const [back] = await eventsOf(
      network,
      await submit(registryCall("reactivate", [ALIPAY_HK, statusEpoch]), { kind: "supervisor" }),
    );
    expect(back).to.deep.include({ kind: "StatusChanged", partner: ALIPAY_HK, status: "active" });
    await submit((await makeBatch(network)).open);
  });

  it("the guardian closes a corridor at once, and whoever minds the risk opens it again", async () => {
    const { submit } = network;
    const corridor = corridorId(HKD_TO_PHP);
    const isOpen = async () => {
      const head = await latestHead(network.first.ledger);
      return everywhere(network, head.number, "the corridor", ({ ledger }) => corridorAt(ledger, HKD_TO_PHP, head));
    };
    const closed = await submit(corridorCall("closeCorridor", [corridor]), { kind: "guardian" });
    expect((await eventsOf(network, closed))[0]).to.deep.include({ kind: "CorridorChanged", corridor: HKD_TO_PHP });
    expect((await isOpen()).open).to.equal(false);
    const refused = await refusalOf(submit((await makeBatch(network)).open));
    expect(refused.code).to.equal("CorridorBook_Closed");
    const epoch = await network.first.ledger.corridorBook.epochOf(corridor);
    await submit(corridorCall("setCorridor", [corridor, epoch, { ...TERMS }]), { kind: "risk" });
    expect(await isOpen()).to.deep.include(TERMS);
    await submit((await makeBatch(network)).open);
  });

  it("the guardian pauses: nothing is opened, what is open settles", async () => {
    const { submit, addresses } = network;
    const call = (name: string, args: readonly unknown[] = []) =>
      encodeCall("transferRegistry", addresses.transferRegistry, name, args);
    const open = await makeBatch(network);
    await submit(open.open);
    await submit(call("pause"), { kind: "guardian" });
    const refused = await refusalOf(submit((await makeBatch(network)).open));
    expect([refused.code, refused.remedy]).to.deep.equal(["EnforcedPause", "retry"]);
    const settled = await submit(await makeSettlement(network.sandbox, open));
    expect((await eventsOf(network, settled)).map(({ kind }) => kind)).to.deep.equal(["Settled"]);
    const epoch = await network.first.ledger.transferRegistry.pauseEpoch();
    await submit(call("unpause", [epoch]), { kind: "supervisor" });
    await submit((await makeBatch(network)).open);
  });

  it("a provider withdraws a quote, by its own key only", async () => {
    const { submit, first } = network;
    const batch = await makeBatch(network);
    const cancel = cancelQuoteCall(first.ledger, batch.header.quote);
    expect((await refusalOf(submit(cancel))).code).to.equal("PartnerRegistry_KeyNotAuthorized");
    const receipt = await submit(cancel, { kind: "operator", partner: PROVIDER });
    expect((await eventsOf(network, receipt))[0]).to.deep.include({ kind: "QuoteCancelled", provider: PROVIDER });
    expect((await refusalOf(submit(batch.open))).code).to.equal("QuoteBook_UsedUp");
  });
});

/** Any. */
const ALIPAY_KEY = `0x${"1".repeat(40)}`;

function raise(error: unknown): never {
  throw error;
}
