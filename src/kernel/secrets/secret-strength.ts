const WALLET_SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const DATA_KEY = /^(?:0x)?([0-9a-fA-F]{64})$/;
/** As Standard Webhooks has it. */
const [MIN_WALLET_SECRET_BYTES, MAX_WALLET_SECRET_BYTES] = [24, 64];
const MIN_PASSWORD_CHARACTERS = 8;
/** Of 24 random bytes some 23 differ; that fewer than 12 do is as likely as guessing the key. */
const MIN_DISTINCT = 12;
const [FIRST_PRINTABLE, LAST_PRINTABLE] = [0x20, 0x7e];

// What a secret has to be, as the rule that it breaks; undefined where it breaks none.

export function dataKeyFault(given: string): string | undefined {
  const [, digits] = DATA_KEY.exec(given) ?? [];
  if (digits === undefined) return "32 bytes each, as 64 hexadecimal digits";
  return isDrawn(Buffer.from(digits, "hex"))
    ? undefined
    : "random bytes each: make one with feiqian keys new data FILE";
}

export function walletSecretFault(given: string): string | undefined {
  const bytes = Buffer.from(WALLET_SECRET.exec(given)?.[1] ?? "", "base64");
  if (bytes.length < MIN_WALLET_SECRET_BYTES || bytes.length > MAX_WALLET_SECRET_BYTES) {
    return `whsec_ and the base64 of ${MIN_WALLET_SECRET_BYTES} to ${MAX_WALLET_SECRET_BYTES} bytes`;
  }
  return isDrawn(bytes) ? undefined : "random bytes: make it with feiqian keys new wallet FILE";
}

export function passwordFault(given: string): string | undefined {
  return [...given].length < MIN_PASSWORD_CHARACTERS ? `at least ${MIN_PASSWORD_CHARACTERS} characters` : undefined;
}

/** Whether bytes can have been drawn at random: no text, no repetition, no counting. */
function isDrawn(bytes: Uint8Array): boolean {
  const steps = bytes.slice(1).map((byte, index) => byte - (bytes[index] ?? 0));
  const isText = bytes.every((byte) => byte >= FIRST_PRINTABLE && byte <= LAST_PRINTABLE);
  return !isText && new Set(bytes).size >= MIN_DISTINCT && new Set(steps).size >= MIN_DISTINCT;
}
