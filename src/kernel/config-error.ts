export interface ConfigProblem {
  /** The key, as in `ledger.rpcUrls.0`, or the variable. */
  readonly key: string;
  readonly rule: string;
}

/** A configuration that cannot be used: every key that is wrong, with the rule it breaks; never a value. */
export class ConfigError extends Error {
  readonly code = "CONFIG";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ key, rule }) => `${key}: ${rule}`).join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}
