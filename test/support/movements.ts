/** What the treasury's `hold` takes: see the type Hold of the contracts. */
export function holdOf(partner: number, currency: number, amount: bigint | number): bigint {
  return (BigInt(partner) << 144n) | (BigInt(currency) << 128n) | BigInt(amount);
}

/** What the treasury's `release` takes: see the type Release of the contracts. */
export function releaseOf(from: number, to: number, currency: number, amount: bigint | number): bigint {
  return (BigInt(from) << 160n) | (BigInt(to) << 144n) | (BigInt(currency) << 128n) | BigInt(amount);
}
