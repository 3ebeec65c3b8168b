import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import hre from "hardhat";
import type { Context } from "mocha";
import type { TransactionReceipt } from "ethers";
import { deployLedger } from "../../../ignition/deploy.ts";
import type { CorridorTerms } from "../../../src/domain/corridor.ts";
import { parseCurrency } from "../../../src/domain/currency.ts";
import type { PartnerId } from "../../../src/domain/partner.ts";
import { encodeCall } from "../../../src/ledger/calls.ts";
import { connectLedger, type Ledger, type LedgerAddresses } from "../../../src/ledger/contracts.ts";
import { bitsOf, KEY_PURPOSES, type KeyPurpose, type LedgerConfig } from "../../../src/ledger/deployment/config.ts";
import type { Call, Submitter } from "../../../src/ledger/submitter.ts";
import { fund } from "../../../sandbox/funding.ts";
import { PROVIDERS, type KeyHolder } from "../../../sandbox/network.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { FEE_BPS } from "../../support/batches.ts";
import { HKD_TO_HKD, HKD_TO_PHP, PROVIDER } from "../../support/transfers.ts";
import { WALLETS } from "../../../sandbox/wallet/wallets.ts";
import { ALIPAY_HK, labelOf, PARTNERS, SECOND_PROVIDER } from "./accounts.ts";
import { submitterFor, useNodes, type Nodes, type NodeUnderTest } from "./nodes.ts";

export { HKD_TO_HKD, HKD_TO_PHP };
export const HKD = parseCurrency("HKD");
export const PHP = parseCurrency("PHP");
export const TERMS: CorridorTerms = { open: true, feeBps: FEE_BPS, maxPerBatch: 10n ** 10n, maxPerDay: 10n ** 13n };
const FOREVER = 2 ** 48 - 1;

/** A node, and the suite's contracts as it answers about them. */
export interface LedgerNode extends NodeUnderTest {
  readonly ledger: Ledger;
}

/** The suite's ledger: contracts of its own, so that nothing depends on what was there before, nor touches it. */
export interface Network extends Nodes {
  readonly nodes: readonly LedgerNode[];
  readonly first: LedgerNode;
  readonly config: LedgerConfig;
  readonly addresses: LedgerAddresses;
  /** Over the first node. */
  readonly sandbox: Sandbox;
  /** The block before the deployment's first. */
  readonly fromBlock: number;
  /** Submits a call by somebody's key through the first node. */
  readonly submit: (call: Call, holder?: KeyHolder) => Promise<TransactionReceipt>;
  /** Every receipt of `submit`. */
  readonly receipts: readonly TransactionReceipt[];
}

/** Minor units that are there to be sent. */
const FUNDS = 10n ** 12n;

let opened: Promise<Network> | undefined;

/** The ledger's contracts, deployed once, with money on it and every partner's operator key authorised. */
export async function useNetwork(test: Context): Promise<Network> {
  const nodes = await useNodes(test);
  return (opened ??= openNetwork(nodes));
}

/** Contracts that nobody else has used: a relay takes a batch that it has not signed for an alarm. */
export async function useFreshNetwork(test: Context): Promise<Network> {
  return openNetwork(await useNodes(test));
}

async function openNetwork(nodes: Nodes): Promise<Network> {
  const { first, accounts, pace } = nodes;
  const config = configFor(nodes);
  const fromBlock = await first.provider.getBlockNumber();
  const addresses = await deploy(nodes, config);
  const ledgers = await Promise.all(
    nodes.nodes.map(async (node) => ({ ...node, ledger: await connectLedger(node.provider, addresses) })),
  );
  const [firstLedger] = ledgers;
  if (firstLedger === undefined) throw new Error("no node");
  const submitters = new Map<string, Promise<Submitter>>();
  const submitterOf = (holder: KeyHolder): Promise<Submitter> => {
    const label = labelOf(holder);
    const submitter = submitters.get(label) ?? submitterFor({ pace }, accounts.keys.walletOf(holder), first.provider);
    submitters.set(label, submitter);
    return submitter;
  };
  const sandbox: Sandbox = { ledger: firstLedger.ledger, keys: accounts.keys, config, submitterOf };
  const receipts: TransactionReceipt[] = [];
  const submit = async (call: Call, holder: KeyHolder = { kind: "courier" }): Promise<TransactionReceipt> => {
    const receipt = await (await submitterOf(holder)).submit(call);
    receipts.push(receipt);
    return receipt;
  };
  await Promise.all(
    PARTNERS.map(async (partner) => {
      const operator = accounts.keys.addressOf({ kind: "operator", partner });
      await submit(authorizeCall(sandbox, partner, operator), { kind: "admin", partner });
    }),
  );
  await fund(sandbox, [
    { partner: ALIPAY_HK, currency: HKD.code, amountMinor: FUNDS },
    { partner: PROVIDER, currency: PHP.code, amountMinor: FUNDS },
    { partner: SECOND_PROVIDER, currency: PHP.code, amountMinor: FUNDS },
  ]);
  return { ...nodes, nodes: ledgers, first: firstLedger, config, addresses, sandbox, fromBlock, submit, receipts };
}

/** Lets a key act for a partner in all that the partner does. */
export function authorizeCall({ ledger, config }: Sandbox, partner: PartnerId, key: string): Call {
  const roles = config.partners.find(({ id }) => id === partner)?.roles ?? [];
  const purposes: readonly KeyPurpose[] = roles.includes("wallet") ? ["fund", "send", "accept"] : ["fund", "quote"];
  const args = [partner, key, bitsOf(KEY_PURPOSES, purposes), FOREVER];
  return encodeCall("partnerRegistry", ledger.addresses.partnerRegistry, "authorizeKey", args);
}

const BEATS_OF_GRACE = 5;
const GOVERNING = ["admin", "registrar", "risk", "guardian", "supervisor", "upgrader"] as const;

/** Governance waits for nothing here: a test cannot wait for an hour. */
function configFor({ accounts: { keys }, pace }: Nodes): LedgerConfig {
  const beatIntervalSeconds = Math.max(2, Math.ceil((2 * pace.roundTripMs) / 1_000));
  return {
    modules: ["transferRegistry"],
    clock: { beatIntervalSeconds, graceSeconds: BEATS_OF_GRACE * beatIntervalSeconds },
    tokens: [HKD, PHP].map(({ code }) => ({
      currency: code,
      bank: keys.addressOf({ kind: "bank", currency: code }),
      attestor: keys.addressOf({ kind: "attestor", currency: code }),
      maxAttestationAgeSeconds: 86_400,
    })),
    partners: [
      ...WALLETS.map(({ currency, ...wallet }) => ({
        ...wallet,
        homeCurrency: currency.code,
        roles: ["wallet"] as const,
      })),
      ...PROVIDERS.map((provider) => ({ ...provider, roles: ["liquidityProvider"] as const })),
    ]
      .filter(({ id }) => PARTNERS.includes(id))
      .map(({ id, name, country, homeCurrency, roles }) => {
        const admin = keys.addressOf({ kind: "admin", partner: id });
        return { id, name, admin, country, homeCurrency, roles };
      }),
    corridors: [HKD_TO_PHP, HKD_TO_HKD].map((corridor) => ({ corridor, terms: TERMS })),
    // No role waits here.
    development: true,
    holders: GOVERNING.map((role) => ({ role, account: keys.addressOf({ kind: role }), delaySeconds: 0 })),
  };
}

/** By Ignition, as an operator does. Its journal is of no use afterwards. */
async function deploy({ accounts, first }: Nodes, config: LedgerConfig): Promise<LedgerAddresses> {
  const connection = await hre.network.create({
    network: "localhost",
    override: { url: first.url, accounts: [accounts.deployer.privateKey] },
  });
  const journal = `conformance-${randomUUID()}`;
  try {
    return await deployLedger(connection, config, { journal });
  } finally {
    await rm(join("ignition", "deployments", journal), { recursive: true, force: true });
    await connection.close();
  }
}
