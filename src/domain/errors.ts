const MAX_GIVEN_LENGTH = 80;

/**
 * A value that breaks a rule of its field. The one error this layer throws: everything else is a returned outcome.
 * Never retryable.
 */
export class InvalidInput extends Error {
  readonly code = "INVALID_INPUT";
  readonly field: string;
  readonly rule: string;

  /**
   * @param field the field at fault, as its reader knows it
   * @param rule what a valid value looks like
   * @param given the value received. It appears in the message and so in logs: leave it out for personal data.
   */
  constructor(field: string, rule: string, given?: unknown) {
    super(given === undefined ? `${field}: ${rule}` : `${field}: ${rule} (given ${describe(given)})`);
    this.name = "InvalidInput";
    this.field = field;
    this.rule = rule;
  }
}

function describe(given: unknown): string {
  const text = typeof given === "string" ? JSON.stringify(given) : String(given);
  return text.length <= MAX_GIVEN_LENGTH ? text : `${text.slice(0, MAX_GIVEN_LENGTH)}…`;
}
