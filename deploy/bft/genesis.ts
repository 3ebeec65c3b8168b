// The first state of a ledger, and who its validators are.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bech32 } from "@scure/base";
import { fromHex, type Hex } from "../../src/domain/bytes/hex.ts";
import { runNode, type NodeProgram } from "./command.ts";

/** A validator before it starts: its folder, and where the others reach it. */
export interface Seat {
  readonly name: string;
  readonly home: string;
  readonly p2p: { readonly host: string; readonly port: number };
}

export interface GenesisOptions {
  readonly funded: readonly Hex[];
  readonly deployers: readonly Hex[] | undefined;
}

/** EIP-155 chain id: the program takes it from its own chain id. */
export const CHAIN_ID = 1_776;
const NODE_CHAIN_ID = `injective-${CHAIN_ID}`;
const KEY = "validator";
const KEYRING = ["--keyring-backend", "test"];
/** The ledger's native money, of 18 digits: for fees and the validators' stakes, worth nothing. */
const DENOM = "inj";
const ACCOUNT_AMOUNT = 10n ** 24n;
const STAKE = 10n ** 21n;
const MAX_BLOCK_GAS = 100_000_000;
/** keccak256 of no code at all, in base64. */
const NO_CODE = "xdJGAYb3IzySfn2y3McDwOUAtlPKgic7e/rYBF2FpHA=";

/** What is read and changed of the node's genesis; the rest is as the node made it. */
interface Genesis {
  readonly app_state: {
    readonly auth: { readonly accounts: object[] };
    readonly bank: { readonly balances: object[]; readonly supply: object[] };
    readonly crisis: { readonly constant_fee: { denom: string } };
    readonly evm: { readonly params: { permissioned: boolean; authorized_deployers: readonly string[] } };
    readonly genutil: { gen_txs: readonly GenesisTransaction[] };
    readonly mint: { readonly params: { mint_denom: string } };
    readonly peggy: { readonly params: Record<string, unknown> };
    readonly slashing: { readonly params: Record<string, unknown> };
    readonly staking: { readonly params: { bond_denom: string } };
    readonly txfees: { readonly params: { min_gas_price: string; max_gas_wanted_per_tx: string } };
  };
  readonly consensus: { readonly params: { readonly block: { max_gas: string } } };
}

interface GenesisTransaction {
  readonly body: { readonly memo: string };
}

/**
 * Makes every seat's keys and one genesis for all of them.
 * @returns each validator's address among its peers, `id@host:port`, in the order of the seats
 */
export async function foundLedger(
  program: NodeProgram,
  seats: readonly Seat[],
  options: GenesisOptions,
): Promise<readonly string[]> {
  const validators = await Promise.all(seats.map(async (seat) => makeKeys(program, seat)));
  const [first] = seats;
  if (first === undefined) throw new RangeError("seats: at least one");
  // Made by the node of this version.
  const genesis = JSON.parse(await readFile(genesisFile(first), "utf8")) as Genesis;
  setParameters(genesis, options);
  for (const address of validators) addAccount(genesis, address);
  for (const account of new Set(options.funded.map((address) => address.toLowerCase()))) {
    addAccount(genesis, bech32.encode(DENOM, bech32.toWords(fromHex(account, 20, "funded"))));
  }
  genesis.app_state.bank.supply.push({
    denom: DENOM,
    amount: (ACCOUNT_AMOUNT * BigInt(genesis.app_state.bank.balances.length)).toString(),
  });
  // Each validator signs that it stakes, and checks that it has the money.
  await writeAll(seats, genesis);
  const stakes = await Promise.all(seats.map(async (seat) => signStake(program, seat)));
  genesis.app_state.genutil.gen_txs = stakes;
  await writeAll(seats, genesis);
  return stakes.map(({ body }) => body.memo);
}

function genesisFile({ home }: Seat): string {
  return join(home, "config", "genesis.json");
}

async function writeAll(seats: readonly Seat[], genesis: Genesis): Promise<void> {
  const json = JSON.stringify(genesis);
  await Promise.all(seats.map(async (seat) => writeFile(genesisFile(seat), json)));
}

/** @returns the address of the key that holds its stake */
async function makeKeys(program: NodeProgram, { name, home }: Seat): Promise<string> {
  await runNode(program, ["init", name, "--chain-id", NODE_CHAIN_ID, "--home", home]);
  const output = await runNode(program, ["keys", "add", KEY, ...KEYRING, "--output", "json", "--home", home]);
  // The node's answer to --output json.
  return (JSON.parse(output) as { readonly address: string }).address;
}

async function signStake(program: NodeProgram, { home, p2p }: Seat): Promise<GenesisTransaction> {
  const file = join(home, "stake.json");
  await runNode(program, [
    ...["genesis", "gentx", KEY, `${STAKE}${DENOM}`, ...KEYRING, "--chain-id", NODE_CHAIN_ID, "--home", home],
    ...["--ip", p2p.host, "--p2p-port", `${p2p.port}`, "--output-document", file],
  ]);
  // Signed by the node: read for its memo, otherwise passed on as it is.
  return JSON.parse(await readFile(file, "utf8")) as GenesisTransaction;
}

function setParameters({ app_state: state, consensus }: Genesis, { deployers }: GenesisOptions): void {
  consensus.params.block.max_gas = `${MAX_BLOCK_GAS}`;
  // The ledger refuses a price of zero. This one, in wei, is what it tells as its base fee, so that clients which ask
  // for the price pay it; with a lower one it would tell them zero.
  state.txfees.params.min_gas_price = "1.000000000000000000";
  state.crisis.constant_fee.denom = DENOM;
  state.mint.params.mint_denom = DENOM;
  state.staking.params.bond_denom = DENOM;
  // A validator that is down keeps its vote. Otherwise 50 missed blocks take it out of the set, and the next fault of a
  // test would meet a ledger of three.
  state.slashing.params["min_signed_per_window"] = "0.000000000000000000";
  // Nor is there a bridge whose orders a validator must sign, or lose its vote after 10,000 blocks.
  for (const orders of ["valsets", "batches", "claims"]) state.peggy.params[`signed_${orders}_window`] = "1000000000";
  if (deployers !== undefined) {
    state.evm.params.permissioned = true;
    state.evm.params.authorized_deployers = deployers;
  }
}

function addAccount({ app_state: state }: Genesis, address: string): void {
  state.auth.accounts.push({
    "@type": "/injective.types.v1beta1.EthAccount",
    base_account: { address, pub_key: null, account_number: "0", sequence: "0" },
    code_hash: NO_CODE,
  });
  state.bank.balances.push({ address, coins: [{ denom: DENOM, amount: ACCOUNT_AMOUNT.toString() }] });
}
