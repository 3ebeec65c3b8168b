import type { Hex } from "../../../src/domain/bytes/hex.ts";
import type { ContractName } from "../../../src/ledger/abi.ts";
import { encodeCall } from "../../../src/ledger/calls.ts";
import type { RoleName } from "../../../src/ledger/deployment/config.ts";
import type { Call } from "../../../src/ledger/submitter.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { networkHelpers } from "./chain.ts";

/** A call of a contract that governance restricts; of the first settlement token, where it is a token's. */
export function governedCall(
  { ledger }: Sandbox,
  contract: ContractName,
  name: string,
  args: readonly unknown[],
): Call {
  const { tokens, ...contracts } = ledger.addresses;
  const [token] = tokens.values();
  const to: Hex = contract === "settlementToken" ? (token ?? "0x") : contracts[contract];
  return encodeCall(contract, to, name, args);
}

export function scheduleCall({ ledger }: Sandbox, { to, data }: Call): Call {
  return encodeCall("accessManager", ledger.addresses.accessManager, "schedule", [to, data, 0]);
}

export function executeCall({ ledger }: Sandbox, { to, data }: Call): Call {
  return encodeCall("accessManager", ledger.addresses.accessManager, "execute", [to, data]);
}

/**
 * Does what only holders of roles may, in this order: what one role has to do in a row is scheduled together, and done
 * after that role's delay.
 * @returns the block in which the last was done
 */
export async function govern(sandbox: Sandbox, steps: readonly GovernedCall[]): Promise<number> {
  let block = 0;
  for (const { role, calls } of inARow(steps)) {
    const holder = await sandbox.submitterOf({ kind: role });
    const delaySeconds = sandbox.config.holders.find((each) => each.role === role)?.delaySeconds ?? 0;
    if (delaySeconds > 0) {
      for (const call of calls) await holder.submit(scheduleCall(sandbox, call));
      await networkHelpers.time.increase(delaySeconds);
    }
    for (const call of calls) {
      const due = delaySeconds > 0 ? executeCall(sandbox, call) : call;
      block = (await holder.submit(due)).blockNumber;
    }
  }
  return block;
}

interface GovernedCall extends Call {
  readonly role: RoleName;
}

function inARow(steps: readonly GovernedCall[]): readonly { readonly role: RoleName; readonly calls: Call[] }[] {
  const rows: { readonly role: RoleName; readonly calls: Call[] }[] = [];
  for (const step of steps) {
    const last = rows.at(-1);
    if (last?.role === step.role) last.calls.push(step);
    else rows.push({ role: step.role, calls: [step] });
  }
  return rows;
}

/** The same for one function of one of the ledger's contracts. */
export async function asGovernance(
  sandbox: Sandbox,
  role: RoleName,
  contract: ContractName,
  name: string,
  args: readonly unknown[],
): Promise<number> {
  return govern(sandbox, [{ role, ...governedCall(sandbox, contract, name, args) }]);
}

const ACTIVE = 1;

/**
 * Makes an account another module of the treasury, as governance would, notice and all.
 * @returns calls the treasury as that module
 */
export async function secondModule(
  sandbox: Sandbox,
): Promise<(name: "hold" | "release", movements: readonly bigint[]) => Promise<unknown>> {
  const holder = { kind: "secondCourier" } as const;
  const module = sandbox.keys.addressOf(holder);
  // Code that does nothing: without any, the treasury takes it for no module.
  await networkHelpers.setCode(module, "0x00");
  await asGovernance(sandbox, "upgrader", "treasury", "announceModule", [module, ACTIVE]);
  await asGovernance(sandbox, "upgrader", "treasury", "activateModule", [module, ACTIVE]);
  const submitter = await sandbox.submitterOf(holder);
  return (name, movements) =>
    submitter.submit(encodeCall("treasury", sandbox.ledger.addresses.treasury, name, [movements]));
}
