import { Transaction, type Provider, type TransactionResponse } from "ethers";
import { provider } from "./chain.ts";
import { refusal } from "./submitting.ts";

/**
 * The pool of a node in front of the tests' chain, as Besu's: it keeps transactions whose nonce is not due yet, and
 * counts as pending the highest nonce that it has, plus one, whether or not those below are there. Of one sender.
 */
export class BesuPool {
  /** Whether a transaction is lost after the node has said that it has it. */
  isLost: (transaction: Transaction) => boolean = () => false;
  /** Every transaction that was handed over, and not lost. */
  readonly taken: Transaction[] = [];
  readonly #waiting = new Map<number, Transaction>();
  readonly #sender: string;

  constructor(sender: string) {
    this.#sender = sender;
  }

  /** What the node answers by itself; it asks the chain for the rest. */
  readonly methods: Partial<Provider> = {
    broadcastTransaction: async (raw) => {
      const transaction = Transaction.from(raw);
      // Of which nothing is read.
      const response = Object.create(null) as TransactionResponse;
      if (this.isLost(transaction)) return response;
      if (transaction.nonce < (await this.#used())) throw refusal("Nonce too low");
      const before = this.#waiting.get(transaction.nonce);
      if (before?.hash === transaction.hash) throw refusal("Known transaction");
      if (before !== undefined && priceOf(transaction) < priceOf(before)) {
        throw refusal("Replacement transaction underpriced");
      }
      this.taken.push(transaction);
      this.#waiting.set(transaction.nonce, transaction);
      return response;
    },
    getTransactionCount: async (address, block) => {
      if (block !== "pending" || this.#waiting.size === 0) return provider.getTransactionCount(address, block);
      return Math.max(...this.#waiting.keys()) + 1;
    },
    getTransaction: async (hash) => {
      const isWaiting = [...this.#waiting.values()].some((transaction) => transaction.hash === hash);
      return isWaiting ? (Object.create(null) as TransactionResponse) : provider.getTransaction(hash);
    },
  };

  /** Puts what is due into a block of its own, and then makes one more. */
  async makeBlocks(): Promise<void> {
    for (;;) {
      const nonce = await this.#used();
      const due = this.#waiting.get(nonce);
      if (due === undefined) break;
      this.#waiting.delete(nonce);
      await provider.broadcastTransaction(due.serialized);
    }
    await provider.send("evm_mine", []);
  }

  #used(): Promise<number> {
    return provider.getTransactionCount(this.#sender, "latest");
  }
}

function priceOf({ maxFeePerGas, gasPrice }: Transaction): bigint {
  return maxFeePerGas ?? gasPrice ?? 0n;
}
