import { decodeRlp, encodeRlp, toBeHex, toQuantity } from "ethers";
import { normalizeHex, type Hex } from "../../src/domain/bytes/hex.ts";
import type { ChainParameters, NetworkPlan } from "./plan.ts";

const VANITY_BYTES = 32;
const ADDRESS_BYTES = 20;
const EXTRA_DATA_PARTS = 5;
/** What Besu requires of a BFT genesis block: "ctical byzantine fault tolerance", as EIP-650 has it. */
const MIX_HASH = "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365";

/** Forks that hold from the genesis block on; the later ones are activated by time. */
const BLOCK_FORKS = [
  "homesteadBlock",
  "eip150Block",
  "eip158Block",
  "byzantiumBlock",
  "constantinopleBlock",
  "petersburgBlock",
  "istanbulBlock",
  "berlinBlock",
  "londonBlock",
] as const;
const TIME_FORKS = ["shanghaiTime", "cancunTime"] as const;

/** Every fork that a genesis has to have at 0. */
export const GENESIS_FORKS: readonly string[] = [...BLOCK_FORKS, ...TIME_FORKS];

/**
 * The `extraData` of a QBFT genesis block: RLP of 32 bytes of vanity, the validators, no vote, round 0, no seals.
 * @param validators in the order in which they are to be listed
 * @see https://besu.hyperledger.org/private-networks/how-to/configure/consensus/qbft
 */
export function extraDataOf(validators: readonly Hex[]): Hex {
  return normalizeHex(encodeRlp([toBeHex(0, VANITY_BYTES), [...validators], [], "0x", []]));
}

/** The validators of an `extraData`; undefined where it is none of QBFT's. */
export function validatorsIn(extraData: unknown): readonly string[] | undefined {
  if (typeof extraData !== "string") return undefined;
  try {
    const decoded = decodeRlp(extraData);
    const validators = typeof decoded === "string" || decoded.length !== EXTRA_DATA_PARTS ? undefined : decoded[1];
    return Array.isArray(validators) ? validators.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The genesis file of a network. Nobody is given native money: gas is free. No contract is there from the start either:
 * they are deployed, and verified, by `npm run deploy`.
 */
export function genesisFile({ chain, genesis: began }: Pick<NetworkPlan, "chain" | "genesis">): string {
  // The headers after it list the validators in ascending order, and a network.json in another order is the same network.
  const validators = began.validators.toSorted();
  const genesis = {
    config: configOf(chain),
    nonce: "0x0",
    timestamp: "0x0",
    extraData: extraDataOf(validators),
    gasLimit: toQuantity(began.gasLimit),
    difficulty: "0x1",
    mixHash: MIX_HASH,
    coinbase: toBeHex(0, ADDRESS_BYTES),
    alloc: {},
  };
  return `${JSON.stringify(genesis, undefined, 2)}\n`;
}

function configOf(chain: ChainParameters): object {
  const { prague, osaka } = chain.forks;
  const transitions = chain.transitions.map(({ block, validators }) => ({ block, validators: validators.toSorted() }));
  return {
    chainId: chain.chainId,
    ...Object.fromEntries(GENESIS_FORKS.map((fork) => [fork, 0])),
    ...(prague === undefined ? {} : { pragueTime: prague }),
    ...(osaka === undefined ? {} : { osakaTime: osaka }),
    zeroBaseFee: true,
    qbft: {
      epochlength: chain.epochLength,
      blockperiodseconds: chain.blockPeriodSeconds,
      requesttimeoutseconds: chain.requestTimeoutSeconds,
      ...(chain.emptyBlockPeriodSeconds === undefined
        ? {}
        : { emptyblockperiodseconds: chain.emptyBlockPeriodSeconds }),
    },
    ...(transitions.length === 0 ? {} : { transitions: { qbft: transitions } }),
  };
}
