import { z } from "zod/v4";
import type { RelayConfigSchema } from "./config-schema.ts";

/** One value that can be configured. */
export interface ConfigKey {
  /** As in the file: `ledger.rpcUrls`. */
  readonly path: readonly string[];
  /** The variable that goes before the file: `FEIQIAN_LEDGER_RPC_URLS`. */
  readonly variable: string;
  readonly kind: "text" | "integer" | "flag" | "list" | "map";
  readonly isRequired: boolean;
  readonly fallback: unknown;
  readonly description: string;
}

/** `ledger.rpcUrls` → FEIQIAN_LEDGER_RPC_URLS */
function variableOf(path: readonly string[]): string {
  const words = path.map((name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
  return `FEIQIAN_${words.join("_")}`;
}

/** Every value of a configuration, in the order of its schema. */
export function configKeys(schema: RelayConfigSchema): readonly ConfigKey[] {
  return keysOf(schema, [], true);
}

interface Unwrapped {
  readonly inner: z.core.$ZodType;
  readonly fallback: unknown;
  readonly isRequired: boolean;
}

function unwrap(schema: z.core.$ZodType): Unwrapped {
  let inner = schema;
  let fallback: unknown;
  let isRequired = true;
  for (;;) {
    if (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
      fallback ??= inner.def.defaultValue;
      isRequired = false;
      inner = inner.def.innerType;
    } else if (inner instanceof z.ZodOptional) {
      isRequired = false;
      inner = inner.def.innerType;
    } else if (inner instanceof z.ZodPipe) {
      inner = inner.def.in;
    } else {
      return { inner, fallback, isRequired };
    }
  }
}

function keysOf(schema: z.core.$ZodType, path: readonly string[], isSectionRequired: boolean): readonly ConfigKey[] {
  const { inner, fallback, isRequired } = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    const shape: Readonly<Record<string, z.core.$ZodType>> = inner.shape;
    const members = Object.entries(shape);
    return members.flatMap(([name, member]) => keysOf(member, [...path, name], isSectionRequired && isRequired));
  }
  const { description = "" } = z.globalRegistry.get(schema) ?? {};
  return [
    {
      path,
      variable: variableOf(path),
      kind: kindOf(inner),
      isRequired: isSectionRequired && isRequired,
      fallback,
      description,
    },
  ];
}

function kindOf(inner: z.core.$ZodType): ConfigKey["kind"] {
  if (inner instanceof z.ZodNumber) return "integer";
  if (inner instanceof z.ZodBoolean) return "flag";
  if (inner instanceof z.ZodArray) return "list";
  return inner instanceof z.ZodRecord ? "map" : "text";
}
