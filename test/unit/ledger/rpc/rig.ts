import {
  createFailoverProvider,
  type FailoverOptions,
  type FailoverProvider,
} from "../../../../src/ledger/rpc/failover-provider.ts";
import type { Dispute } from "../../../../src/ledger/rpc/witness.ts";
import { until } from "../../../support/until.ts";
import { hash, optionsOver, quantity, type TestNode } from "./nodes.ts";

/** Providers of one test, and what they have told. */
export interface Rig {
  readonly disputes: Dispute[];
  readonly dropped: string[];
  open(nodes: readonly TestNode[], options?: Partial<FailoverOptions>): FailoverProvider;
  /** How disputes have ended, once so many have. */
  ended(count?: number): Promise<readonly string[]>;
  close(): void;
}

export function createRig(): Rig {
  const opened: FailoverProvider[] = [];
  const disputes: Dispute[] = [];
  const dropped: string[] = [];
  return {
    disputes,
    dropped,
    open(nodes, options = {}) {
      const urls = nodes.map(({ url }) => url);
      const provider = createFailoverProvider(urls, {
        ...optionsOver(nodes),
        onDispute: (dispute) => disputes.push(dispute),
        onDrop: ({ name, whyDropped }) => dropped.push(`${name}: ${whyDropped ?? ""}`),
        ...options,
      });
      opened.push(provider);
      return provider;
    },
    async ended(count = 1) {
      await until(() => disputes.length >= count);
      return disputes.map(({ outcome }) => outcome);
    },
    close() {
      for (const provider of opened.splice(0)) provider.destroy();
    },
  };
}

const CALL = { to: `0x${"cd".repeat(20)}`, data: "0x02" };

export function call(provider: FailoverProvider, block: number): Promise<unknown> {
  return provider.send("eth_call", [CALL, quantity(block)]);
}

export function callResult(block: number): unknown {
  return hash("eth_call", [CALL], block);
}

export function header(provider: FailoverProvider, tag: string): Promise<unknown> {
  return provider.send("eth_getBlockByNumber", [tag, false]);
}

export function readLogs(provider: FailoverProvider, from: number, to: number): Promise<unknown> {
  return provider.send("eth_getLogs", [{ address: "0x", fromBlock: quantity(from), toBlock: quantity(to) }]);
}

export function namesDropped(provider: FailoverProvider): readonly string[] {
  return provider.health().flatMap(({ name, isDropped }) => (isDropped ? [name] : []));
}

export function activeOf(provider: FailoverProvider): string | undefined {
  return provider.health().find(({ isActive }) => isActive)?.name;
}

export function withMembers(result: unknown, members: object): unknown {
  return typeof result === "object" ? { ...result, ...members } : result;
}

/** Another hash, or a block with another hash. */
export function falsely(result: unknown): unknown {
  return typeof result === "object" ? withMembers(result, { hash: hash("false") }) : hash("false");
}
