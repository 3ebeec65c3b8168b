import type { FastifyPluginAsync } from "fastify";
import { z } from "zod/v4";
import { UNREADY } from "../telemetry/health.ts";
import type { KernelContext } from "../context.ts";
import type { ServerOptions } from "./context.ts";
import { routes } from "./route.ts";

const readinessSchema = (alarms: readonly string[]) =>
  z.object({
    ready: z.boolean(),
    reasons: z.array(z.object({ code: z.enum(UNREADY), detail: z.string() })),
    alarms: z
      .array(z.object({ code: z.string().meta({ enum: [...alarms] }), detail: z.string() }))
      .meta({ description: "What needs an operator's attention now, although the relay goes on." }),
  });

/** For those who run the process. No key is asked for: do not let strangers reach these. */
export function systemRoutes(
  { metrics }: Pick<KernelContext, "metrics">,
  { readiness, alarmCodes }: Pick<ServerOptions, "readiness" | "alarmCodes">,
): FastifyPluginAsync {
  const answer = readinessSchema(alarmCodes);
  return routes((app) => {
    app.get(
      "/livez",
      {
        schema: {
          operationId: "livez",
          summary: "Whether the process answers",
          tags: ["system"],
          security: [],
          response: { 200: z.object({ status: z.literal("ok") }) },
        },
      },
      () => ({ status: "ok" as const }),
    );
    app.get(
      "/readyz",
      {
        schema: {
          operationId: "readyz",
          summary: "Whether requests should be sent here, and if not, why",
          tags: ["system"],
          security: [],
          response: { 200: answer, 503: answer },
        },
      },
      async (_request, reply) => {
        const { ready, reasons, alarms } = await readiness();
        if (!ready) reply.header("retry-after", "1");
        return reply.code(ready ? 200 : 503).send({ ready, reasons: [...reasons], alarms: [...(alarms ?? [])] });
      },
    );
    app.get(
      "/metrics",
      {
        schema: {
          operationId: "metrics",
          summary: "Prometheus metrics",
          tags: ["system"],
          security: [],
          produces: ["text/plain"],
          response: { 200: z.string() },
        },
        serializerCompiler: () => String,
      },
      async (_request, reply) => {
        const { registry } = metrics;
        return reply.type(registry.contentType).send(await registry.metrics());
      },
    );
  });
}
