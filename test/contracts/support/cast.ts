import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { ethers } from "./chain.ts";

/** Who acts in the tests: governance, banks, partners and their keys, and people without any rights. */
export interface Cast {
  readonly deployer: HardhatEthersSigner;
  /** Administers the AccessManager and has no other role. */
  readonly root: HardhatEthersSigner;
  readonly registrar: HardhatEthersSigner;
  readonly risk: HardhatEthersSigner;
  readonly guardian: HardhatEthersSigner;
  /** Reactivates, unpauses, registers tokens and modules. */
  readonly council: HardhatEthersSigner;
  /** The settlement bank of every currency. */
  readonly bank: HardhatEthersSigner;
  readonly attestor: HardhatEthersSigner;
  /** Submits what others signed. Nobody knows it. */
  readonly courier: HardhatEthersSigner;
  readonly stranger: HardhatEthersSigner;
  /** Accounts without a part, for keys that a test adds. */
  readonly spare: readonly [HardhatEthersSigner, HardhatEthersSigner, HardhatEthersSigner];
  readonly partners: ReadonlyMap<number, PartnerKeys>;
}

/** A partner's accounts, one a purpose. */
export interface PartnerKeys {
  readonly admin: HardhatEthersSigner;
  readonly send: HardhatEthersSigner;
  readonly accept: HardhatEthersSigner;
  readonly quote: HardhatEthersSigner;
  readonly fund: HardhatEthersSigner;
}

/** Hands the network's accounts out, always in the same order. */
export async function castOf(partners: readonly number[]): Promise<Cast> {
  const accounts = await ethers.getSigners();
  const take = (): HardhatEthersSigner => {
    const account = accounts.shift();
    if (account === undefined) throw new Error("cast: more parts than accounts, raise ACCOUNTS in chain.ts");
    return account;
  };
  return {
    deployer: take(),
    root: take(),
    registrar: take(),
    risk: take(),
    guardian: take(),
    council: take(),
    bank: take(),
    attestor: take(),
    courier: take(),
    stranger: take(),
    spare: [take(), take(), take()],
    partners: new Map(
      partners.map((id) => [id, { admin: take(), send: take(), accept: take(), quote: take(), fund: take() }]),
    ),
  };
}
