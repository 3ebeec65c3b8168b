import { z } from "zod/v4";
import type { RelayContext, RelayWork, Step } from "../../../../src/features/context.ts";
import { responses, routes } from "../../../../src/kernel/http/route.ts";
import type { RoutesOf } from "../../../../src/kernel/http/context.ts";
import { appendEvents } from "../../../../src/kernel/store/events.ts";

const greetingSchema = z.strictObject({ text: z.string().min(1).max(100) });
const greetingsSchema = z.object({ greetings: z.array(z.object({ text: z.string(), isSent: z.boolean() })) });

const greetingRoutes =
  (relay: RelayContext): RoutesOf =>
  () =>
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
            ...responses({ 202: greetingSchema }),
          },
        },
        async ({ body }, reply) => {
          await relay.db.query("INSERT INTO greetings (text) VALUES ($1)", [body.text]);
          relay.wake("greeter");
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
        async () => {
          const rows = await relay.db.query<{ text: string; sent: boolean }>(
            "SELECT text, sent_at IS NOT NULL AS sent FROM greetings ORDER BY id",
          );
          return { greetings: rows.map(({ text, sent }) => ({ text, isSent: sent })) };
        },
      );
    });

const greeterStep: Step = async ({ db, clock, wake }) => {
  const at = clock.nowMs();
  const sent = await db.transaction(async (tx) => {
    const rows = await tx.query<{ text: string }>(
      "UPDATE greetings SET sent_at = $1 WHERE sent_at IS NULL RETURNING text",
      [at],
    );
    await appendEvents(
      tx,
      rows.map(({ text }) => ({ type: "greeting.sent", at, data: { text } })),
    );
    return rows.length;
  });
  if (sent > 0) wake("notifier");
  return false;
};

export const greetingsWork: RelayWork = {
  steps: [{ name: "greeter", run: greeterStep, pollIntervalMs: 1_000 }],
  routes: [greetingRoutes],
  messages: () => [{ path: "/peer/v1/greetings", bodyLimit: 1_000, answer: () => Promise.resolve(undefined) }],
  alarms: () => () => Promise.resolve([{ code: "ungreeted", detail: "nobody greets for nothing" }]),
};
