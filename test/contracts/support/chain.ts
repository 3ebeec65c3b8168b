import { HDNodeWallet, Mnemonic } from "ethers";
import hre from "hardhat";

/** Enough accounts for a key of its own per partner and purpose. */
const ACCOUNTS = 48;
const PHRASE = "test test test test test test test test test test test junk";
const ENOUGH_WEI = 10n ** 22n;
/** Given with every transaction: an estimate would run before the block that a test sets the time of. */
const GAS_LIMIT = 16_000_000;

/** Those of Hardhat's phrase, which everybody knows. Hardhat would derive the phrase's seed for each anew. */
const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(PHRASE), "m/44'/60'/0'/0");
const accounts = Array.from({ length: ACCOUNTS }, (_, index) => ({
  privateKey: root.deriveChild(index).privateKey,
  balance: ENOUGH_WEI,
}));

/** One in-process ledger for all of these tests, from a fixed moment on: gas and signatures repeat. */
export const { ethers, networkHelpers, provider } = await hre.network.create({
  override: { initialDate: "2026-03-02T09:00:00Z", accounts, gas: GAS_LIMIT },
});

const genesis = await networkHelpers.takeSnapshot();
let loaded: unknown;

/**
 * What `fixture` made, on the ledger as it was then: no test sees what another did. Unlike `loadFixture` alone, which
 * runs a fixture on whatever came before it, every fixture starts from an empty ledger, and time goes on from the
 * fixture's last block, however long ago that was.
 */
export async function load<Data>(fixture: () => Promise<Data>): Promise<Data> {
  if (loaded !== fixture) {
    await genesis.restore();
    networkHelpers.clearSnapshots();
    loaded = fixture;
  }
  const data = await networkHelpers.loadFixture(fixture);
  await networkHelpers.time.setNextBlockTimestamp((await networkHelpers.time.latest()) + 1);
  await networkHelpers.mine();
  return data;
}

/** Whether the contracts are instrumented for coverage, which changes the gas that they use. */
export const MEASURES_COVERAGE = hre.globalOptions.coverage;
