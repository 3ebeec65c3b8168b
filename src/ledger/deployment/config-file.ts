import { z } from "zod/v4";
import type { Hex } from "../../domain/bytes/hex.ts";
import { NO_LIMIT } from "../../domain/corridor.ts";
import { parseCurrency } from "../../domain/currency.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { firstFault, parsedBy, partnerNumber } from "../../domain/wire.ts";
import type { LedgerAddresses } from "../contracts.ts";
import { checkConfig, PARTNER_ROLES, ROLES, type LedgerConfig } from "./config.ts";
import { MODULE_NAMES } from "./parts.ts";

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "an address, 0x and 40 hexadecimal digits")
  // The pattern is that of the type.
  .transform((text) => text.toLowerCase() as Hex);
const currency = parsedBy(z.string(), (text) => parseCurrency(text).code);
const seconds = z
  .number()
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const minorUnits = z
  .string()
  .regex(/^(?:0|[1-9]\d*)$/, "minor units as decimal text, for JSON's numbers are floats")
  .transform((text) => BigInt(text))
  .refine((amount) => amount <= NO_LIMIT, "below 2^64");

const ledgerConfig = z.strictObject({
  development: z.boolean().optional(),
  modules: z.array(z.enum(MODULE_NAMES)).min(1),
  clock: z.strictObject({ beatIntervalSeconds: seconds, graceSeconds: seconds }),
  tokens: z.array(z.strictObject({ currency, bank: address, attestor: address, maxAttestationAgeSeconds: seconds })),
  partners: z.array(
    z.strictObject({
      id: partnerNumber,
      name: z.string().min(1),
      admin: address,
      country: z.string().regex(/^[A-Z]{2}$/, "ISO 3166-1 alpha-2"),
      homeCurrency: currency,
      roles: z.array(z.enum(namesOf(PARTNER_ROLES))).min(1),
    }),
  ),
  corridors: z.array(
    z.strictObject({
      corridor: z.strictObject({
        source: partnerNumber,
        sourceCurrency: currency,
        target: partnerNumber,
        targetCurrency: currency,
      }),
      terms: z.strictObject({
        open: z.boolean(),
        feeBps: z.number().int().min(0).max(1_000).transform(BigInt),
        maxPerBatch: minorUnits,
        maxPerDay: minorUnits,
      }),
    }),
  ),
  holders: z.array(z.strictObject({ role: z.enum(namesOf(ROLES)), account: address, delaySeconds: seconds })),
});

const otherRegistries = z
  .array(
    z.strictObject({
      transferRegistry: address,
      treasury: address.optional(),
      corridorBook: address.optional(),
      quoteBook: address.optional(),
    }),
  )
  .default([]);

const ledgerAddresses = z.strictObject({
  accessManager: address,
  partnerRegistry: address,
  treasury: address,
  corridorBook: address,
  quoteBook: address,
  transferRegistry: address,
  draining: otherRegistries,
  announced: otherRegistries,
  tokens: z.record(z.string(), address),
  deployedBy: z.number().int().min(0).optional(),
});

/**
 * Reads the configuration of a ledger from JSON.
 * @throws InvalidInput naming the field, by its path, and the rule
 */
export function parseConfig(text: string): LedgerConfig {
  const config = parseFile(ledgerConfig, text, "configuration");
  checkConfig(config);
  return config;
}

/** A configuration as `parseConfig` reads it back. */
export function formatConfig(config: LedgerConfig): string {
  const corridors = config.corridors.map(({ corridor, terms }) => ({
    corridor,
    terms: {
      ...terms,
      feeBps: Number.parseInt(terms.feeBps.toString(), 10),
      maxPerBatch: terms.maxPerBatch.toString(),
      maxPerDay: terms.maxPerDay.toString(),
    },
  }));
  return `${JSON.stringify({ ...config, corridors }, null, 2)}\n`;
}

/**
 * Reads where a ledger's contracts are from JSON.
 * @throws InvalidInput naming the field and the rule
 */
export function parseAddresses(text: string): LedgerAddresses {
  const { tokens, ...contracts } = parseFile(ledgerAddresses, text, "addresses");
  const registries = [contracts.transferRegistry];
  for (const list of ["draining", "announced"] as const) {
    for (const [index, { transferRegistry }] of contracts[list].entries()) {
      if (registries.includes(transferRegistry)) {
        const rule = "a registry that is neither transferRegistry nor in a list before";
        throw new InvalidInput(`${list}.${index}.transferRegistry`, rule, transferRegistry);
      }
      registries.push(transferRegistry);
    }
  }
  const byCurrency = Object.entries(tokens).map(
    ([code, token]) => [parseCurrency(code, "tokens").code, token] as const,
  );
  return { ...contracts, tokens: new Map(byCurrency) };
}

/** Addresses as `parseAddresses` reads them back; without lists that are empty, so that earlier releases read them too. */
export function formatAddresses({ draining, announced, tokens, ...addresses }: LedgerAddresses): string {
  const others = Object.entries({ draining, announced }).filter(([, list]) => list.length > 0);
  return `${JSON.stringify({ ...addresses, ...Object.fromEntries(others), tokens: Object.fromEntries(tokens) }, null, 2)}\n`;
}

function parseFile<Output>(schema: z.ZodType<Output>, text: string, name: string): Output {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new InvalidInput(name, "JSON");
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { path, message } = firstFault(parsed.error);
  throw new InvalidInput(path.length === 0 ? name : path.map(String).join("."), message);
}

function namesOf<Names extends Readonly<Record<string, unknown>>>(names: Names): [keyof Names & string] {
  // An enum's names are the keys of its constant, of which there is at least one.
  return Object.keys(names) as [keyof Names & string];
}
