import { dataSlice, getBytes, hexlify, AbiCoder, type LogDescription, type Provider, type Result } from "ethers";
import { utf8 } from "../../domain/bytes/bytes.ts";
import { toHex, type Hex } from "../../domain/bytes/hex.ts";
import { corridorId } from "../../domain/corridor.ts";
import { currencyOf } from "../../domain/currency.ts";
import { ABI, type ContractName } from "../abi.ts";
import { BUILD } from "./build.ts";
import type { LedgerAddresses } from "../contracts.ts";
import { MODULE_STATUSES } from "../statuses.ts";
import { bitsOf, functionAssignments, guardedRoles, PARTNER_ROLES, roleGrants, ROLES } from "./config.ts";
import type { LedgerConfig } from "./config.ts";
import { partsOf } from "./parts.ts";

/** One thing about a deployment, as the configuration has it and as it was found on the ledger. */
export interface Setting {
  readonly name: string;
  readonly expected: string;
  readonly found: string;
}

/** Blocks of the deployment, both included. */
export interface BlockRange {
  readonly fromBlock: number;
  readonly toBlock: number;
}

/** A contract of the ledger, under the name that findings have for it. */
interface Part {
  readonly title: string;
  readonly contract: ContractName;
  readonly address: Hex;
  /** What the build's constructor is given; the deployer is the first administrator. */
  readonly args: (deployer: string) => readonly unknown[];
}

/** What happened on the ledger's contracts, from their creation to the end of the deployment. */
export interface History {
  /** Everything that happened, and should have: how often, compared. Also how the contracts came to be. */
  readonly settings: readonly Setting[];
  /** The arguments of every event of that name. */
  readonly of: (name: KeptEvent) => readonly Result[];
}

/** Nodes limit how many blocks one question about logs may span; Besu began with a thousand. */
const MAX_BLOCK_RANGE = 1_000;
/** A ledger that has been in use has millions of events after its deployment: the first ones tell enough. */
const MOST_KINDS = 1_000;
/** What the ledger's state is asked about. */
const KEPT_EVENTS = [
  "RoleGranted",
  "PartnerRegistered",
  "CorridorChanged",
  "TokenRegistered",
  "ModuleChanged",
  "ModuleAnnounced",
] as const;
export type KeptEvent = (typeof KEPT_EVENTS)[number];
/** Times that follow from when the block was made. A delay set before would be an event of its own. */
const TIMES: Readonly<Record<string, readonly string[]>> = {
  RoleGranted: ["since"],
  ModuleAnnounced: ["from", "until"],
};

/**
 * Replays the deployment, and compares it with the only one that the configuration gives: the build's code, created with
 * the configured arguments, and each configured event once. The contracts tell every change of their state by an event,
 * so that nothing else has happened when there is no other event: no key, no mint, no grant that was revoked again, no
 * delay that is yet to come.
 */
export async function readHistory(
  provider: Provider,
  addresses: LedgerAddresses,
  config: LedgerConfig,
  range: BlockRange,
): Promise<History> {
  const parts = contractsOf(addresses, config);
  const byAddress = new Map(parts.map((part) => [part.address.toLowerCase(), part]));
  const counts = new Map<string, number>();
  const kept = new Map<string, Result[]>(KEPT_EVENTS.map((name) => [name, []]));
  const births = new Map<Part, { readonly transactionHash: string; readonly event: LogDescription | null }>();
  let unlisted = 0;
  for (let from = range.fromBlock; from <= range.toBlock; from += MAX_BLOCK_RANGE) {
    const toBlock = Math.min(range.toBlock, from + MAX_BLOCK_RANGE - 1);
    const logs = await provider.getLogs({ address: [...byAddress.keys()], fromBlock: from, toBlock });
    for (const log of [...logs].sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index)) {
      const part = byAddress.get(log.address.toLowerCase());
      if (part === undefined) continue;
      const event = ABI[part.contract].parseLog(log);
      if (!births.has(part)) births.set(part, { transactionHash: log.transactionHash, event });
      if (event !== null) kept.get(event.name)?.push(event.args);
      const text = `${part.title}: ${event === null ? `unknown event ${log.topics[0] ?? ""}` : describe(event)}`;
      if (counts.has(text) || counts.size < MOST_KINDS) counts.set(text, (counts.get(text) ?? 0) + 1);
      else unlisted++;
    }
  }

  const manager = parts.find(({ contract }) => contract === "accessManager");
  const grant = manager === undefined ? undefined : births.get(manager)?.event;
  const deployer = grant?.name === "RoleGranted" ? String(grant.args.getValue("account")) : NOBODY;
  const expected = countOf(expectedEvents(parts, addresses, config, deployer));
  const texts = [...new Set([...expected.keys(), ...counts.keys()])];
  const creations = parts.map(async (part) => settingsOf(provider, part, deployer, births.get(part), range.toBlock));
  return {
    settings: [
      ...(await Promise.all(creations)).flat(),
      ...texts.map((text) => setting(HISTORY + text, times(expected.get(text)), times(counts.get(text)))),
      setting(`${HISTORY}further events`, times(0), times(unlisted)),
    ],
    of: (name) => kept.get(name) ?? [],
  };
}

/** The block in which the deployer gave up its role, which ends the deployment: undefined where that has not happened. */
export async function endOfDeployment(
  provider: Provider,
  accessManager: Hex,
  deployer: string,
): Promise<number | undefined> {
  const topics = ABI.accessManager.encodeFilterTopics("RoleRevoked", [ROLES.admin, deployer]);
  for (let toBlock = await provider.getBlockNumber(); toBlock >= 0; toBlock -= MAX_BLOCK_RANGE) {
    const fromBlock = Math.max(0, toBlock - MAX_BLOCK_RANGE + 1);
    const logs = await provider.getLogs({ address: accessManager, topics, fromBlock, toBlock });
    if (logs.length > 0) return Math.max(...logs.map(({ blockNumber }) => blockNumber));
  }
  return undefined;
}

/** How one contract of a ledger came to be, wherever in these blocks that was, and the code that is there after them. */
export async function readCreation(
  provider: Provider,
  part: Part,
  deployer: string,
  { fromBlock, toBlock }: BlockRange,
): Promise<readonly Setting[]> {
  let birth: { readonly transactionHash: string } | undefined;
  for (let from = fromBlock; from <= toBlock && birth === undefined; from += MAX_BLOCK_RANGE) {
    const until = Math.min(toBlock, from + MAX_BLOCK_RANGE - 1);
    const logs = await provider.getLogs({ address: part.address, fromBlock: from, toBlock: until });
    [birth] = [...logs].sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index);
  }
  return settingsOf(provider, part, deployer, birth, toBlock);
}

async function settingsOf(
  provider: Provider,
  part: Part,
  deployer: string,
  birth: { readonly transactionHash: string } | undefined,
  block: number,
): Promise<readonly Setting[]> {
  return [
    setting(`${HISTORY}creation of ${part.title}`, ...(await creationOf(provider, part, deployer, birth))),
    setting(`${HISTORY}code of ${part.title}`, BUILT, await codeOf(provider, part, block)),
  ];
}

/** How the names of settings begin that tell of what happened rather than of what is. */
export const HISTORY = "history: ";
const BUILT = "the build's code";
/** No account, as contracts and events have it. */
export const NOBODY = `0x${"00".repeat(20)}`;

function contractsOf(addresses: LedgerAddresses, config: LedgerConfig): readonly Part[] {
  const { accessManager, treasury } = addresses;
  const { clock, tokens } = config;
  return [
    ...partsOf(config).map(({ contract, title, args }): Part => ({
      title,
      contract,
      address: addresses[contract],
      args: (deployer) => args({ at: (name) => addresses[name], deployer, clock }),
    })),
    ...tokens.flatMap(({ currency, maxAttestationAgeSeconds, attestor }): readonly Part[] => {
      const address = addresses.tokens.get(currency);
      if (address === undefined) return [];
      const { numeric, minorDigits } = currencyOf(currency);
      const args = [accessManager, treasury, numeric, currency, minorDigits, maxAttestationAgeSeconds, attestor];
      return [{ title: `token ${currency}`, contract: "settlementToken", address, args: () => args }];
    }),
    // Of one that the configuration does not have, nothing is expected: whatever it has done is a difference.
    ...[...addresses.tokens]
      .filter(([currency]) => !tokens.some((token) => token.currency === currency))
      .map(([currency, address]): Part => {
        return { title: `token ${currency}`, contract: "settlementToken", address, args: () => [] };
      }),
  ];
}

/** Everything that happens in a deployment of this configuration. */
function expectedEvents(
  parts: readonly Part[],
  addresses: LedgerAddresses,
  config: LedgerConfig,
  deployer: string,
): readonly string[] {
  const event = (part: Pick<Part, "title" | "contract">, name: string, args: readonly unknown[]): string => {
    const abi = ABI[part.contract];
    const log = abi.encodeEventLog(name, args);
    const parsed = abi.parseLog(log);
    if (parsed === null) throw new Error(`${part.contract} has no event ${name}`);
    return `${part.title}: ${describe(parsed)}`;
  };
  const titled = <Name extends ContractName>(title: string, contract: Name) => ({ title, contract });
  const manager = titled("access manager", "accessManager");
  const registry = titled("partner registry", "partnerRegistry");
  const treasury = titled("treasury", "treasury");
  const corridorBook = titled("corridor book", "corridorBook");
  const { active, none } = MODULE_STATUSES;
  const governed = new Set<string>(partsOf(config).flatMap((part) => (part.isGoverned ? [part.contract] : [])));
  const configured = parts.filter(({ contract, args }) => contract !== "settlementToken" || args(deployer).length > 0);
  return [
    ...configured
      .filter(({ contract }) => contract === "settlementToken" || governed.has(contract))
      .map((part) => event(part, "AuthorityUpdated", [addresses.accessManager])),
    ...(["corridorBook", "quoteBook"] as const).map((contract) => {
      const { title = contract } = partsOf(config).find((part) => part.contract === contract) ?? {};
      return event(titled(title, contract), "TreasuryBound", [addresses.treasury]);
    }),
    ...config.partners.map(({ id, admin, country, homeCurrency, roles }) => {
      const terms = [toHex(utf8(country)), currencyOf(homeCurrency).numeric, bitsOf(PARTNER_ROLES, roles)];
      return event(registry, "PartnerRegistered", [id, admin, ...terms]);
    }),
    ...config.corridors.map(({ corridor, terms }) =>
      event(corridorBook, "CorridorChanged", [corridorId(corridor), { ...terms }]),
    ),
    ...config.modules.flatMap((name) => [
      event(treasury, "ModuleAnnounced", [addresses[name], active, 0, 0]),
      event(treasury, "ModuleChanged", [addresses[name], none, active]),
    ]),
    ...config.tokens.flatMap(({ currency, attestor }) => {
      const token = addresses.tokens.get(currency);
      if (token === undefined) return [];
      return [
        event(treasury, "TokenRegistered", [currencyOf(currency).numeric, token]),
        event(titled(`token ${currency}`, "settlementToken"), "TreasuryChanged", [NOBODY, addresses.treasury]),
        event(titled(`token ${currency}`, "settlementToken"), "AttestorChanged", [NOBODY, attestor]),
      ];
    }),
    ...functionAssignments(config).flatMap(({ contract, currency, functions, role }) => {
      const target = contract === "settlementToken" ? currency && addresses.tokens.get(currency) : addresses[contract];
      if (target === undefined) return [];
      const selectors = functions.map((name) => ABI[contract].getFunction(name)?.selector ?? name);
      return selectors.map((selector) => event(manager, "TargetFunctionRoleUpdated", [target, selector, role]));
    }),
    event(manager, "RoleGranted", [ROLES.admin, deployer, 0, 0, true]),
    ...roleGrants(config).map(({ role, account, delaySeconds }) =>
      event(manager, "RoleGranted", [role, account, delaySeconds, 0, true]),
    ),
    ...guardedRoles().map((role) => event(manager, "RoleGuardianChanged", [role, ROLES.guardian])),
    event(manager, "RoleRevoked", [ROLES.admin, deployer]),
  ];
}

/**
 * How a contract was made. Its constructor is the build's only if the whole call is: another one could write any storage,
 * tell nothing of it, and leave the build's code behind.
 */
async function creationOf(
  provider: Provider,
  { contract, address, args }: Part,
  deployer: string,
  birth: { readonly transactionHash: string } | undefined,
): Promise<[expected: string, found: string]> {
  const inputs = ABI[contract].deploy.inputs;
  const given = args(deployer);
  const isConfigured = given.length === inputs.length;
  const expected = isConfigured ? `${BUILT} with ${valueText(given)}` : "none";
  if (birth === undefined) return [expected, "not seen: nothing happened there in these blocks"];
  const [receipt, transaction] = await Promise.all([
    provider.getTransactionReceipt(birth.transactionHash),
    provider.getTransaction(birth.transactionHash),
  ]);
  if (receipt === null || transaction === null) return [expected, `not told by the node: ${birth.transactionHash}`];
  if (receipt.contractAddress?.toLowerCase() !== address.toLowerCase()) {
    return [expected, `not seen: before these blocks, or by another contract in ${birth.transactionHash}`];
  }
  const code = BUILD[contract].creation;
  if (!transaction.data.startsWith(code)) return [expected, `other code in ${birth.transactionHash}`];
  const tail = dataSlice(transaction.data, (code.length - 2) / 2);
  const coder = AbiCoder.defaultAbiCoder();
  if (isConfigured && tail === coder.encode(inputs, given)) return [expected, expected];
  try {
    return [expected, `${BUILT} with ${valueText(coder.decode(inputs, tail))}, in ${birth.transactionHash}`];
  } catch {
    return [expected, `${BUILT} with arguments that cannot be read, in ${birth.transactionHash}`];
  }
}

/** Immutables are left out: they follow from the creation, and those that can be asked for are settings. */
async function codeOf(provider: Provider, { contract, address }: Part, block: number): Promise<string> {
  const code = await provider.getCode(address, block);
  if (code === "0x") return "none";
  const { runtime, immutables } = BUILD[contract];
  const masked = (text: string): string => {
    const bytes = getBytes(text);
    for (const { start, length } of immutables) bytes.fill(0, start, start + length);
    return hexlify(bytes);
  };
  return masked(code) === masked(runtime) ? BUILT : "other code";
}

function describe({ name, fragment, args }: LogDescription): string {
  const shown = fragment.inputs.flatMap((input, index) =>
    TIMES[name]?.includes(input.name) === true ? [] : [`${input.name} ${valueText(args[index])}`],
  );
  return `${name}: ${shown.join(", ")}`;
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return `(${value.map(valueText).join(", ")})`;
  const text = String(value);
  return text.startsWith("0x") ? text.toLowerCase() : text;
}

function countOf(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

function times(count = 0): string {
  if (count === 0) return "never";
  return count === 1 ? "once" : `${count} times`;
}

function setting(name: string, expected: string, found: string): Setting {
  return { name, expected, found };
}
