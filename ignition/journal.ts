import { appendFile, readFile, rename, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HardhatEthersProvider } from "@nomicfoundation/hardhat-ethers/types";
import type { TransactionReceipt, TransactionResponse } from "ethers";
import { transactionOf } from "./sent.ts";

/** What is read of a line of the journal of ignition-core 3.1. */
interface Message {
  readonly type: string;
  readonly futureId?: string;
  readonly chainId?: number;
  readonly from?: string;
  readonly networkInteraction?: Interaction;
  readonly nonce?: number;
  readonly transaction?: { readonly hash: string };
  readonly result?: { readonly address?: string };
}

/** A call, or without `to` a deployment, as Ignition asks for it. */
interface Interaction {
  readonly id: number;
  readonly to?: string;
  readonly data: string;
  readonly value: { readonly value: string };
}

/** How far a call or deployment has come, as far as the journal knows. */
interface Step {
  readonly futureId: string;
  readonly from: string;
  readonly interaction?: Interaction;
  readonly nonce?: number | undefined;
  /** Several where the fee was raised. */
  readonly hashes: readonly string[];
  /** A transaction was about to be sent, and may have been. */
  readonly isSending: boolean;
  readonly isConfirmed: boolean;
}

/**
 * Makes the journal of a deployment that was killed fit to be resumed, by what the chain knows. Ignition refuses most
 * of what a kill can leave behind (errors HHE10000, HHE10410 and HHE10411):
 * - a line that was not written whole: it is cut off;
 * - a step that was begun but asked for nothing, or prepared a transaction that never went out: it is forgotten, and
 *   Ignition begins it again;
 * - a transaction that went out, its hash not written down: it is looked up by its nonce, and its hash written down;
 * - a transaction that waits to be confirmed while one of a later nonce is: Ignition would go on counting from the
 *   earlier nonce. Its confirmation is written down; it is as deep in the chain as the later one's, or deeper;
 * - the list of addresses, half written or behind the journal: it is made anew.
 * Can itself be killed: it writes only what it finds missing.
 *
 * For the deployer, while no other deployment runs from the same account.
 * @param folder the deployment's, under ignition/deployments
 * @throws Error when a nonce that a step prepared went to another transaction, or to one that cannot be seen yet
 */
export async function mendJournal(folder: string, provider: HardhatEthersProvider): Promise<void> {
  const path = join(folder, "journal.jsonl");
  const messages = await readWhole(path);
  const { chainId } = await provider.getNetwork();
  // The journal of another chain is left alone: Ignition refuses it by itself.
  if (!messages.some((message) => message.chainId !== undefined && BigInt(message.chainId) === chainId)) return;

  const steps = stepsOf(messages);
  const lastConfirmed = Math.max(...steps.map(({ isConfirmed, nonce }) => (isConfirmed ? (nonce ?? -1) : -1)));
  for (const step of steps) {
    if (step.isConfirmed) continue;
    const missing = await missingOf(step, lastConfirmed, provider);
    await appendFile(path, missing.map((message) => `\n${JSON.stringify(message)}`).join(""));
  }
  await writeAddresses(folder, messages);
}

/** The journal's messages, after cutting off a last line that is not whole. None where there is no journal. */
async function readWhole(path: string): Promise<readonly Message[]> {
  const text = await readFile(path, "utf8").catch((failure: unknown) => {
    if (failure instanceof Error && "code" in failure && failure.code === "ENOENT") return "";
    throw failure;
  });
  const lastLine = Math.max(0, text.lastIndexOf("\n"));
  const whole = isJson(text.slice(lastLine)) ? text : text.slice(0, lastLine);
  if (whole !== text) await truncate(path, Buffer.byteLength(whole));
  return (
    whole
      .split("\n")
      .filter((line) => line !== "")
      // Written by Ignition, whose version package.json pins.
      .map((line) => JSON.parse(line) as Message)
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The calls and deployments in the order in which they were begun: the only futures that the ledger's module has. */
function stepsOf(messages: readonly Message[]): readonly Step[] {
  const steps = new Map<string, Step>();
  for (const message of messages) {
    const { type, futureId = "", from = "" } = message;
    const step = steps.get(futureId);
    if (/^(?:CALL|DEPLOYMENT)_EXECUTION_STATE_INITIALIZE$/.test(type)) {
      steps.set(futureId, { futureId, from, hashes: [], isSending: false, isConfirmed: false });
    } else if (type === "WIPE_APPLY") {
      steps.delete(futureId);
    } else if (step !== undefined) {
      steps.set(futureId, { ...step, ...changeBy(message, step) });
    }
  }
  return [...steps.values()];
}

function changeBy({ type, networkInteraction, nonce, transaction }: Message, { hashes }: Step): Partial<Step> {
  switch (type) {
    case "NETWORK_INTERACTION_REQUEST":
      return networkInteraction === undefined ? {} : { interaction: networkInteraction };
    case "TRANSACTION_PREPARE_SEND":
      return { nonce, isSending: true };
    // Both are followed by another transaction of the same nonce.
    case "ONCHAIN_INTERACTION_BUMP_FEES":
    case "ONCHAIN_INTERACTION_DROPPED":
      return { isSending: true };
    case "TRANSACTION_SEND":
      return { nonce, hashes: transaction === undefined ? hashes : [...hashes, transaction.hash], isSending: false };
    case "ONCHAIN_INTERACTION_REPLACED_BY_USER":
      return { nonce: undefined, hashes: [], isSending: false };
    case "TRANSACTION_CONFIRM":
      return { isConfirmed: true };
    default:
      return {};
  }
}

/** What Ignition would have journalled of an unconfirmed step, had it lived to do so. */
async function missingOf(
  { interaction, ...step }: Step,
  lastConfirmed: number,
  provider: HardhatEthersProvider,
): Promise<readonly object[]> {
  const { futureId, from, nonce } = step;
  const forget = { type: "WIPE_APPLY", futureId };
  if (interaction === undefined) return [forget];
  if (nonce === undefined) return [];
  const id = { futureId, networkInteractionId: interaction.id };

  const sent = step.isSending ? await transactionOf(provider, from, nonce) : undefined;
  if (sent === undefined && step.hashes.length === 0) return [forget];
  if (sent !== undefined) checkIsPrepared(sent, interaction, step);
  const missing: object[] = sent === undefined ? [] : [{ type: "TRANSACTION_SEND", ...id, ...describe(sent) }];
  if (nonce > lastConfirmed) return missing;

  for (const hash of new Set([...step.hashes, ...(sent === undefined ? [] : [sent.hash])])) {
    const receipt = await provider.getTransactionReceipt(hash);
    if (receipt !== null) return [...missing, { type: "TRANSACTION_CONFIRM", ...id, ...describeReceipt(receipt) }];
  }
  return missing;
}

/** The account may have been used beside the deployment: what somebody else sent must not pass for the step's. */
function checkIsPrepared(sent: TransactionResponse, { to, data, value }: Interaction, step: Omit<Step, "interaction">) {
  const isSame =
    sent.to?.toLowerCase() === to?.toLowerCase() &&
    sent.data.toLowerCase() === data.toLowerCase() &&
    sent.value === BigInt(value.value);
  if (isSame) return;
  throw new Error(
    `${step.futureId} prepared a transaction with nonce ${step.nonce ?? ""} of ${step.from}, ` +
      `but that nonce went to another one, ${sent.hash}: ` +
      "make sure that it may stand, then have Ignition send the step with a new nonce by " +
      `npx hardhat ignition track-tx ${sent.hash} <name of the journal> --network <name>`,
  );
}

function describe({ hash, nonce, gasPrice, maxFeePerGas, maxPriorityFeePerGas }: TransactionResponse): object {
  const fees =
    maxFeePerGas === null || maxPriorityFeePerGas === null
      ? { gasPrice: journalled(gasPrice) }
      : { maxFeePerGas: journalled(maxFeePerGas), maxPriorityFeePerGas: journalled(maxPriorityFeePerGas) };
  return { nonce, transaction: { hash, fees } };
}

/** As the journal writes a bigint, for which JSON has no form. */
function journalled(value: bigint): object {
  return { _kind: "bigint", value: value.toString() };
}

function describeReceipt({ hash, blockHash, blockNumber, contractAddress, status, logs }: TransactionReceipt): object {
  const isSuccess = status === 1;
  const receipt = {
    blockHash,
    blockNumber,
    ...(isSuccess && contractAddress !== null ? { contractAddress } : {}),
    status: isSuccess ? "SUCCESS" : "FAILURE",
    logs: logs.map(({ address, index, data, topics }) => ({ address, logIndex: index, data, topics })),
  };
  return { hash, receipt };
}

/** Ignition writes each address after the journal has it, and cannot read a file that was not written whole. */
async function writeAddresses(folder: string, messages: readonly Message[]): Promise<void> {
  const addresses = Object.fromEntries(
    messages.flatMap(({ type, futureId = "", result }) =>
      type === "DEPLOYMENT_EXECUTION_STATE_COMPLETE" && result?.address !== undefined
        ? [[futureId, result.address]]
        : [],
    ),
  );
  const path = join(folder, "deployed_addresses.json");
  await writeFile(`${path}.new`, JSON.stringify(addresses, null, 2));
  await rename(`${path}.new`, path);
}
