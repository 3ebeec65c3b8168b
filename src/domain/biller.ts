import { z } from "zod/v4";
import { InvalidInput } from "./errors.ts";
import { parseName } from "./text.ts";
import { parsedBy } from "./wire.ts";

/** Who sends bills, as its partner's wallet knows it: what a payer chooses, and what its references look like. */
export interface Biller {
  /** The wallet's own name for it. */
  readonly id: string;
  readonly name: string;
  /** What it sends bills for, one word, as electricity. */
  readonly category: string;
  readonly reference: ReferenceRule;
}

/** What a biller's references look like, so that a slip of the finger is told before anybody is asked. */
export interface ReferenceRule {
  readonly characters: "digits" | "letters and digits";
  /** Characters, both included. */
  readonly min: number;
  readonly max: number;
  /** Which check digits its references end with: Luhn's (ISO/IEC 7812-1), or two by ISO 7064, MOD 97-10. */
  readonly check?: "luhn" | "mod97" | undefined;
}

const MAX_REFERENCE = 35;
const MAX_BILLERS = 200;
const WORD = /^[a-z0-9-]{1,32}$/;

export const billerSchema: z.ZodType<Biller> = z.object({
  id: z.string().regex(WORD, "1 to 32 of a to z, 0 to 9 and -"),
  name: parsedBy(z.string(), (text) => parseName(text, "name")),
  category: z.string().regex(WORD, "1 to 32 of a to z, 0 to 9 and -"),
  reference: z
    .object({
      characters: z.enum(["digits", "letters and digits"]),
      min: z.number().int().min(1).max(MAX_REFERENCE),
      max: z.number().int().min(1).max(MAX_REFERENCE),
      check: z.enum(["luhn", "mod97"]).optional(),
    })
    .refine(({ min, max }) => min <= max, "a least length that is not above the most"),
});

export const billersSchema = z.object({ billers: z.array(billerSchema).max(MAX_BILLERS) });

const CHARACTERS = { digits: /^[0-9]+$/, "letters and digits": /^[0-9A-Z]+$/ } as const;
const CHECKS = {
  luhn: { isRight: isLuhn, says: "of which the last is a check digit (Luhn)" },
  mod97: { isRight: isMod97, says: "of which the last two are check digits (ISO 7064, MOD 97-10)" },
} as const;

/**
 * Reads a reference as it stands on a bill, with the spaces and hyphens that people put between.
 * @throws InvalidInput with the biller's rule
 */
export function parseReference({ characters, min, max, check }: ReferenceRule, text: string, field: string): string {
  const reference = text.replaceAll(/[\s-]/g, "").toUpperCase();
  const { length } = reference;
  const isOfForm = length >= min && length <= max && CHARACTERS[characters].test(reference);
  if (isOfForm && (check === undefined || CHECKS[check].isRight(reference))) return reference;
  const size = min === max ? String(min) : `${min} to ${max}`;
  throw new InvalidInput(
    field,
    [`${size} ${characters}`, ...(check === undefined ? [] : [CHECKS[check].says])].join(", "),
  );
}

/** Digits with Luhn's check digit at the end; letters have none. */
function isLuhn(reference: string): boolean {
  let sum = 0;
  for (const [index, character] of [...reference].reverse().entries()) {
    const digit = "0123456789".indexOf(character);
    if (digit === -1) return false;
    const doubled = digit * 2;
    sum += index % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** Letters count 10 to 35, as in a creditor's reference (ISO 11649) and an IBAN. */
function isMod97(reference: string): boolean {
  let rest = 0;
  for (const character of reference) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}
