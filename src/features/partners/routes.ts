import {
  corridorsResponseSchema,
  lookupRequestSchema,
  lookupResponseSchema,
  participantsResponseSchema,
  type CorridorJson,
  type Participant,
} from "../../schema/network.ts";
import { ALIAS_TYPES, parseCustomer } from "../../domain/alias.ts";
import type { RegisteredCorridor } from "../../domain/corridor.ts";
import type { RegisteredPartner } from "../../ledger/registry.ts";
import type { RelayContext } from "../context.ts";
import { LOOKUP_ACTION, pseudonymOf } from "./lookups.ts";
import { lookupPayee } from "./lookup.ts";
import { Problem } from "../../kernel/http/problem.ts";
import { callerOf, type RoutesOf } from "../../kernel/http/context.ts";
import { OF_BODIES, responses, routes, type Routes } from "../../kernel/http/route.ts";

/** What a wallet needs to know of the network: who is there, and what can be sent where. */
export function networkRoutes(relay: RelayContext): RoutesOf {
  return () =>
    routes((app) => {
      lookupRoute(app, relay);
      listRoutes(app, relay);
    });
}

function lookupRoute(app: Routes, relay: RelayContext): void {
  app.post(
    "/v1/payees/lookup",
    {
      config: { scope: "submit", action: LOOKUP_ACTION },
      schema: {
        operationId: "lookupPayee",
        "x-idempotent": true,
        summary: "Find a partner's customer by alias",
        description: "Tells the payee's name, masked, so that the payer can see that it is the right person.",
        tags: ["network"],
        body: lookupRequestSchema,
        ...responses({ 200: lookupResponseSchema }, [
          ...OF_BODIES,
          "payee-not-found",
          "unknown-partner",
          "partner-unavailable",
        ]),
      },
    },
    async (request) => {
      const { body, audit } = request;
      audit.subject = pseudonymOf(relay, parseCustomer(body.alias));
      audit.data = { target: body.target };
      const found = await lookupPayee(relay, `key:${callerOf(request).id}`, body);
      if (found.kind === "refused") throw Problem.of(found);
      return found.payee;
    },
  );
}

function listRoutes(app: Routes, relay: RelayContext): void {
  app.get(
    "/v1/participants",
    {
      config: { scope: "read" },
      schema: {
        operationId: "listParticipants",
        summary: "Who is in the network",
        tags: ["network"],
        ...responses({ 200: participantsResponseSchema }),
      },
    },
    async () => {
      const { partners } = await relay.registry.read();
      return { participants: [...partners.values()].map((partner) => participantJson(relay, partner)).sort(byId) };
    },
  );
  app.get(
    "/v1/corridors",
    {
      config: { scope: "read" },
      schema: {
        operationId: "listCorridors",
        summary: "Where this partner's customers can send to",
        tags: ["network"],
        ...responses({ 200: corridorsResponseSchema }),
      },
    },
    async () => {
      const { corridors } = await relay.registry.read();
      const own = [...corridors.values()].filter(({ corridor }) => corridor.source === relay.partner);
      return { corridors: own.map(corridorJson).sort((left, right) => left.target - right.target) };
    },
  );
}

function participantJson(
  { partner: self, settings }: Pick<RelayContext, "partner" | "settings">,
  { id, country, homeCurrency, roles, status }: RegisteredPartner,
): Participant {
  // Whoever is registered is one of the others.
  const standing = status === "unknown" ? "suspended" : status;
  const name = settings.registry.names[String(id)];
  return {
    ...{ id, country, homeCurrency, roles: [...roles], status: standing, isSelf: id === self },
    ...(name === undefined ? {} : { name }),
  };
}

/** What a submission may not leave out; the amount is that of either end. */
const REQUIRED_FIELDS = [
  "uetr",
  "target",
  "amount",
  "debtor.name",
  "debtor.alias",
  "creditor.alias",
  "purpose",
] as const;

function corridorJson({ corridor, terms }: RegisteredCorridor): CorridorJson {
  return {
    target: corridor.target,
    sourceCurrency: corridor.sourceCurrency,
    targetCurrency: corridor.targetCurrency,
    isOpen: terms.open,
    feeBps: Number.parseInt(String(terms.feeBps), 10),
    maxPerTransfer: String(terms.maxPerBatch),
    maxPerDay: String(terms.maxPerDay),
    requiredFields: [...REQUIRED_FIELDS],
    aliasTypes: [...ALIAS_TYPES],
  };
}

function byId(left: Participant, right: Participant): number {
  return left.id - right.id;
}
