import type { FastifySchemaCompiler, FastifySerializerCompiler } from "fastify";
import type { z } from "zod/v4";
import { firstFault } from "../../domain/wire.ts";
import { refused, type Refusal } from "../refusal.ts";
import { Problem } from "./problem.ts";

/** Checks the parts of a request by their zod schemas, and tells the first fault. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (data: unknown) => {
    const parsed = schema.safeParse(data);
    if (parsed.success) return { value: parsed.data };
    return { error: Problem.of(faultOf(parsed.error, httpPart ?? "body")) };
  };

/** Holds what is answered to its schema: what that does not have does not get out. */
export const serializerCompiler: FastifySerializerCompiler<z.ZodType> =
  ({ schema }) =>
  (data: unknown) =>
    JSON.stringify(schema.parse(data));

/**
 * The first fault that a schema has found: by the member's path and its rule, never its value.
 * @param whole what to call it where it is no member that is at fault
 */
export function faultOf(error: z.ZodError, whole: string): Refusal {
  const { path, message } = firstFault(error);
  const field = path.map(String).join(".");
  return refused("invalid-request", message, { field: field === "" ? whole : field });
}
