import type { ZodSafeParseResult } from "zod/v4";
import { uetrSchema } from "../../../schema/fields.ts";
import { submitRequestSchema, type ParsedSubmitRequest } from "../../../schema/transfers.ts";
import { parseUetr } from "../../../domain/uetr.ts";
import type { BrokenSubmission } from "./content.ts";
import { plainSubmission } from "./plain-submission.ts";
import { refused, type Refusal } from "../../../kernel/refusal.ts";
import { faultOf } from "../../../kernel/http/validation.ts";

/**
 * Reads a submission as far as it goes. One that breaks a rule is still the intake's to answer: an earlier attempt under
 * its UETR may be stored. Only where there is no UETR to be read nothing can be said of a transfer, and that is said.
 */
export function readSubmission(json: unknown): ParsedSubmitRequest | BrokenSubmission | Refusal {
  return plainSubmission(json) ?? readSubmissionBySchema(json);
}

/**
 * The same, by the schema alone.
 * @internal The rule, which tests hold `plainSubmission` to.
 */
export function readSubmissionBySchema(json: unknown): ParsedSubmitRequest | BrokenSubmission | Refusal {
  const parsed: ZodSafeParseResult<ParsedSubmitRequest> = submitRequestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const given: Readonly<Record<string, unknown>> = typeof json === "object" && json !== null ? { ...json } : {};
  const uetr = uetrSchema.safeParse(given["uetr"]);
  const retryOf = uetrSchema.safeParse(given["retryOf"]);
  if (uetr.success) {
    return {
      uetr: parseUetr(uetr.data),
      ...(retryOf.success ? { retryOf: parseUetr(retryOf.data) } : {}),
      fault: faultOf(parsed.error, "body"),
    };
  }
  const [issue] = uetr.error.issues;
  return refused("uetr-unreadable", issue?.message ?? "as documented", { field: "uetr" });
}
