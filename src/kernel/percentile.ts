/** The smallest of the values that at least `percent` of them do not exceed; undefined without values. */
export function percentile(values: readonly number[], percent: number): number | undefined {
  const ascending = values.toSorted((left, right) => left - right);
  return ascending[Math.max(0, Math.ceil((ascending.length * percent) / 100) - 1)];
}
