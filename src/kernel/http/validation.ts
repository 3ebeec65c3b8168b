import type { FastifySchemaCompiler, FastifySerializerCompiler } from "fastify";
import type { z } from "zod/v4";
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
  const { path, message } = deepest(error.issues);
  const field = path.map(String).join(".");
  return refused("invalid-request", message, { field: field === "" ? whole : field });
}

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Where there were alternatives, the one that was meant is that in which the fault is deepest. */
function deepest(issues: readonly z.core.$ZodIssue[]): Fault {
  const [issue] = issues;
  // The names of members are the caller's text, too: only what looks like a name is told.
  if (issue?.code === "unrecognized_keys") return { path: issue.path, message: notTaken(issue.keys) };
  if (issue?.code !== "invalid_union") return { path: issue?.path ?? [], message: issue?.message ?? "as documented" };
  const faults = issue.errors.map(deepest);
  const meant = faults.reduce<Fault | undefined>(
    (best, fault) => (best === undefined || fault.path.length > best.path.length ? fault : best),
    undefined,
  );
  if (meant === undefined || meant.path.length < 2) return { path: issue.path, message: "one of the alternatives" };
  return { path: [...issue.path, ...meant.path], message: meant.message };
}

const MEMBER_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,39}$/;
const MOST_NAMED = 3;

function notTaken(keys: readonly string[]): string {
  const names = keys.filter((key) => MEMBER_NAME.test(key)).slice(0, MOST_NAMED);
  return names.length === 0 ? "has an unknown member" : `takes no member ${names.join(", ")}`;
}
