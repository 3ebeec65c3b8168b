import { z } from "zod/v4";
import type { ReasonCode } from "../domain/reason.ts";
import { MAX_VERSIONS_TOLD } from "../domain/versions.ts";
import { reasonSchema } from "./fields.ts";
import { transferStatusSchema } from "./transfer-status.ts";

/**
 * What a problem, as the answer to a submission, proves of the transfer that was to be submitted. Whoever has taken a
 * customer's money for it decides by this alone, and never by the HTTP status.
 */
export const TRANSFER_FATES = {
  none: "nothing is stored under this UETR, and nothing ever will be: give the money back",
  stored: "a transfer is stored under this UETR: the money follows it, so use its status",
  unknown: "this answer does not say: send the same again under the same UETR",
} as const;
export type TransferFate = keyof typeof TRANSFER_FATES;

export interface ProblemEntry {
  /** HTTP status. */
  readonly status: number;
  readonly title: string;
  /**
   * What it proves of the transfer. "none" is a promise: the intake looks whether the UETR is stored before it gives
   * such an answer, and keeps the refusal forever. An answer given before the UETR can be looked up proves nothing.
   */
  readonly transfer: TransferFate;
  /** ISO 20022 status reason, where one fits every case of the problem. */
  readonly reason?: ReasonCode;
}

/** Problems by their codes. */
export type ProblemEntries = Readonly<Record<string, ProblemEntry>>;

/**
 * Every problem that the API can answer with. The kernel and each feature add theirs where they declare them. Codes are
 * stable: what they mean does not change, and none is reused.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- whoever answers with a problem adds it
export interface Problems {}
export type ProblemCode = keyof Problems;

/** The problems of one relay. */
export type ProblemTable = Readonly<Record<ProblemCode, ProblemEntry>>;

const TYPE_PREFIX = "urn:feiqian:problem:";

/** The problem's type, by which machines tell problems apart (RFC 9457, 3.1.1). */
export function problemType(code: string): string {
  return `${TYPE_PREFIX}${code}`;
}

// The table's own members.
const FATES = Object.keys(TRANSFER_FATES) as [TransferFate, ...TransferFate[]];

/** What the API's document calls a problem; the codes that there are stand in it. */
export const PROBLEM = "Problem";

export const problemSchema = z
  .object({
    type: z.string().meta({ examples: [problemType("uetr-conflict")] }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().meta({ description: "What is wrong with this request, for people." }),
    instance: z.string().meta({ description: "The request, as the relay's log names it." }),
    code: z.string().meta({ description: "The last part of the type. Stable." }),
    field: z.string().optional().meta({ description: "The member of the request that is wrong, by its path." }),
    reason: reasonSchema.optional(),
    transfer: z
      .enum(FATES)
      .optional()
      .meta({
        description: `In every answer to a submission, what it proves of the transfer: ${FATES.map((fate) => `"${fate}": ${TRANSFER_FATES[fate]}`).join("; ")}. Never conclude it from the HTTP status.`,
      }),
    stored: transferStatusSchema.optional().meta({
      description: "The transfer that is stored under the UETR, and its status.",
    }),
    retryAfterSeconds: z.number().int().optional().meta({
      description: "Seconds until a retry makes sense; the same as the header retry-after.",
    }),
    versions: z.array(z.number().int()).max(MAX_VERSIONS_TOLD).optional().meta({
      description: "The versions that are spoken here, where the one that was asked for is not.",
    }),
    goOn: z.string().optional().meta({
      description: "The cursor to continue from. Everything up to it is unchanged; read what comes after it.",
    }),
  })
  .meta({ id: PROBLEM, description: "What went wrong (RFC 9457)." });
export type ProblemJson = z.infer<typeof problemSchema>;
