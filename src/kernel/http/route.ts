import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { z } from "zod/v4";
import type { ProblemCode } from "../../schema/problems.ts";

declare module "fastify" {
  interface FastifySchema {
    /** The problems that a route answers with, besides those of every route. */
    readonly "x-problems"?: readonly ProblemCode[];
    /** Where a POST sent again does nothing more than the first did: clients repeat it when they got no answer. */
    readonly "x-idempotent"?: true;
  }
}

/** Routes whose requests are read, and whose answers are held, by their schemas. */
export type Routes =
  ReturnType<FastifyInstance["withTypeProvider"]> extends infer _Any ? ReturnType<typeof withSchemas> : never;

function withSchemas(app: FastifyInstance) {
  return app.withTypeProvider<ZodTypeProvider>();
}

export function routes(define: (app: Routes) => void): FastifyPluginAsync {
  return (app) => {
    define(withSchemas(app));
    return Promise.resolve();
  };
}

/** The problems of every route that asks for a key. */
const ALWAYS: readonly ProblemCode[] = [
  "invalid-request",
  "unauthorized",
  "forbidden",
  "rate-limited",
  "internal",
  "unavailable",
];
/** …and of those that take a body. */
export const OF_BODIES: readonly ProblemCode[] = ["malformed-request", "payload-too-large", "unsupported-media-type"];

/** What a route answers when all is well, and its problems, whose schemas the server adds; in its schema. */
export function responses<Answers extends Readonly<Record<number, z.ZodType>>>(
  answers: Answers,
  problems: readonly ProblemCode[] = [],
): { readonly response: Answers; readonly "x-problems": readonly ProblemCode[] } {
  return { response: answers, "x-problems": [...ALWAYS, ...problems] };
}
