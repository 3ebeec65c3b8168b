/**
 * Divides `total` whole items in proportion to `weights` by the largest remainder (Hare quota): the shares add up to
 * `total`, each differs from its exact proportion by less than one, and of equal remainders the earlier wins.
 * @param total at least 0
 * @param weights at least 0, not all 0
 */
export function apportion(total: number, weights: readonly bigint[]): number[] {
  const sum = weights.reduce((running, weight) => running + weight, 0n);
  if (sum <= 0n) throw new RangeError("weights: at least one above zero");
  const exact = weights.map((weight, index) => {
    const product = BigInt(total) * weight;
    return { index, whole: Number.parseInt(String(product / sum), 10), remainder: product % sum };
  });
  const left = total - exact.reduce((running, { whole }) => running + whole, 0);
  const roundedUp = new Set(
    exact
      .toSorted((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1))
      .slice(0, left)
      .map(({ index }) => index),
  );
  return exact.map(({ index, whole }) => whole + (roundedUp.has(index) ? 1 : 0));
}
