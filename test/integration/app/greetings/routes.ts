import type { RelayContext } from "../../../../src/features/context.ts";
import type { RoutesOf } from "../../../../src/kernel/http/context.ts";
import { Problem } from "../../../../src/kernel/http/problem.ts";
import { responses, routes } from "../../../../src/kernel/http/route.ts";
import { greetingSchema, greetingsSchema } from "./schema.ts";
import { allGreetings, insertGreeting } from "./store.ts";

export function greetingRoutes({ db, settings, wake }: Pick<RelayContext, "db" | "settings" | "wake">): RoutesOf {
  return () =>
    routes((app) => {
      app.post(
        "/v1/greetings",
        {
          config: { scope: "submit" },
          schema: {
            operationId: "createGreeting",
            summary: "Greet",
            tags: ["greetings"],
            body: greetingSchema,
            ...responses({ 202: greetingSchema }, ["greeting-too-long"]),
          },
        },
        async ({ body }, reply) => {
          const { mostLetters } = settings.greetings;
          if (body.text.length > mostLetters) {
            throw new Problem("greeting-too-long", `at most ${mostLetters} letters`, { field: "text" });
          }
          await insertGreeting(db, body.text);
          wake("greeter");
          return reply.code(202).send(body);
        },
      );
      app.get(
        "/v1/greetings",
        {
          config: { scope: "read" },
          schema: {
            operationId: "listGreetings",
            summary: "What was greeted",
            tags: ["greetings"],
            ...responses({ 200: greetingsSchema }),
          },
        },
        async () => ({ greetings: [...(await allGreetings(db))] }),
      );
    });
}
