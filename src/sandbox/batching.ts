import type { PartnerId } from "../domain/partner.ts";
import type { Order } from "./order.ts";

/** Orders of one corridor that go into one batch. */
export interface OrderBatch {
  readonly source: PartnerId;
  readonly target: PartnerId;
  readonly orders: readonly Order[];
  /** When the batch was full, or its time was up: seconds since midnight UTC. */
  readonly closedAtSecond: number;
}

export interface BatchingOptions {
  /** Most transfers in a batch. */
  readonly batchSize: number;
  /** Largest sum of a batch's source amounts, in source minor units. */
  readonly maxSourceTotal: bigint;
  /** A batch that is not full closes when the day reaches the next multiple of this. */
  readonly windowSeconds: number;
}

/** Puts a day's orders into batches, corridor by corridor, in the order in which the batches close. */
export function batchOrders(orders: readonly Order[], options: BatchingOptions): OrderBatch[] {
  const byWindow = Map.groupBy(orders, ({ source, target, atSecond }) =>
    [source, target, Math.floor(atSecond / options.windowSeconds)].join(" "),
  );
  const batches = [...byWindow.values()].flatMap((waiting) => splitFull(waiting, options));
  return batches.sort((left, right) => left.closedAtSecond - right.closedAtSecond);
}

/** @param orders of one corridor and window, at least one */
function splitFull(
  orders: readonly Order[],
  { batchSize, maxSourceTotal, windowSeconds }: BatchingOptions,
): OrderBatch[] {
  const batches: OrderBatch[] = [];
  let waiting: Order[] = [];
  let total = 0n;
  const close = (closedAtSecond: number) => {
    const [first] = waiting;
    if (first === undefined) return;
    const { source, target } = first;
    batches.push({ source, target, orders: waiting, closedAtSecond });
    waiting = [];
    total = 0n;
  };
  for (const order of orders.toSorted((left, right) => left.atSecond - right.atSecond)) {
    if (total + order.sourceAmount.minor > maxSourceTotal) close(order.atSecond);
    waiting.push(order);
    total += order.sourceAmount.minor;
    if (waiting.length === batchSize) close(order.atSecond);
  }
  close((Math.floor((orders[0]?.atSecond ?? 0) / windowSeconds) + 1) * windowSeconds);
  return batches;
}
