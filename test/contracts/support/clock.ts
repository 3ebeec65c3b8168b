import type { TransferRegistry } from "../../../types/ethers-contracts/index.ts";
import { ethers, networkHelpers } from "./chain.ts";

const SECONDS_PER_DAY = 86_400;

/** A uint48 that a contract tells, which is a safe integer. */
export function secondsOf(time: bigint): number {
  return Number.parseInt(time.toString(), 10);
}

/** Timestamp of the latest block, in UTC seconds. */
export async function latestTimestamp(): Promise<number> {
  const block = await ethers.provider.getBlock("latest");
  if (block === null) throw new Error("the chain has no block");
  return block.timestamp;
}

/** Ledger time as of the latest block, in UTC seconds. */
export async function ledgerTime(transfers: TransferRegistry): Promise<number> {
  const time = await transfers.time({ blockTag: "latest" });
  return secondsOf(time);
}

/** Gives the next block, and so the next transaction, this timestamp. */
export async function nextBlockAt(timestamp: number): Promise<void> {
  await networkHelpers.time.setNextBlockTimestamp(timestamp);
}

/**
 * Lets the ledger run until its time is `ledgerSeconds`: it beats often enough for none of the time to be lost.
 */
export async function runUntil(transfers: TransferRegistry, ledgerSeconds: number): Promise<void> {
  const [grace, beatInterval] = await Promise.all([transfers.grace(), transfers.beatInterval()]);
  // Two uint32. A beat that is not written down leaves up to an interval for the next one to count.
  const step = Number.parseInt((grace - beatInterval).toString(), 10);
  for (let now = await ledgerTime(transfers); now < ledgerSeconds; now = await ledgerTime(transfers)) {
    await nextBlockAt((await latestTimestamp()) + Math.min(step, ledgerSeconds - now));
    await transfers.beat();
  }
}

/** Lets the ledger run until the next transaction, whatever it is, happens at exactly this ledger time. */
export async function nextCallAt(transfers: TransferRegistry, ledgerSeconds: number): Promise<void> {
  await runUntil(transfers, ledgerSeconds - 1);
  await nextBlockAt((await latestTimestamp()) + ledgerSeconds - (await ledgerTime(transfers)));
}

/** Stops the ledger: no block for `seconds`, and then one with the time of the outside world. Nobody beats. */
export async function halt(seconds: number): Promise<void> {
  await nextBlockAt((await latestTimestamp()) + seconds);
  await networkHelpers.mine();
}

/** The UTC day of a timestamp, as the ledger counts them. */
export function dayOf(timestamp: number): number {
  return Math.floor(timestamp / SECONDS_PER_DAY);
}
