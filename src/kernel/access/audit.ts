import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { JsonObject } from "../../domain/wire.ts";
import type { KernelContext } from "../context.ts";
import { concludeAudit, insertAudit } from "./audit-store.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** What the audit log is told beside the action: never a secret, never personal data. */
    audit: { subject?: string; data: JsonObject; seq?: bigint; code?: string };
  }
}

/**
 * Writes every operator action down: before it is done, so that one that is cut short is there, too, and again with how
 * it came out before the answer is given. What is refused for its scope or its form is written once.
 */
export function auditActions(app: FastifyInstance, { db, clock }: KernelContext): void {
  const write = async (request: FastifyRequest, outcome: string): Promise<bigint | undefined> => {
    const { action } = request.routeOptions.config;
    if (action === undefined || request.caller === undefined) return undefined;
    const { subject, data } = request.audit;
    return insertAudit(db, { at: clock.nowMs(), actor: request.caller.id, action, subject, outcome, data });
  };

  const begin = async (request: FastifyRequest): Promise<void> => {
    const { id } = paramsOf(request);
    if (id !== undefined) request.audit.subject = id;
    const seq = await write(request, "begun");
    if (seq !== undefined) request.audit.seq = seq;
  };
  const conclude = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { subject, data, seq, code } = request.audit;
    const outcome = reply.statusCode < 400 ? "done" : (code ?? String(reply.statusCode));
    if (seq === undefined) await write(request, outcome);
    else await concludeAudit(db, seq, { subject, outcome, data });
  };
  // Others, as transfers, are not held up by it.
  app.addHook("onRoute", (route) => {
    if (route.config?.action === undefined) return;
    route.preHandler = [begin, ...[route.preHandler ?? []].flat()];
    route.onSend = [conclude, ...[route.onSend ?? []].flat()];
  });
}

function paramsOf({ params }: FastifyRequest): { readonly id?: string } {
  return params ?? {};
}
