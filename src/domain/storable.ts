const REPLACEMENT = "\uFFFD";

/**
 * Text from outside as it can be stored: PostgreSQL takes no U+0000, and in JSON no half of a surrogate pair either, and
 * refuses the whole statement for one. Each of them becomes U+FFFD. What is stored so is for people to read: a
 * reference, what failed; whatever is compared or signed is refused by its own rule instead.
 */
export function storable(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed();
  return whole.includes("\0") ? whole.replaceAll("\0", REPLACEMENT) : whole;
}
