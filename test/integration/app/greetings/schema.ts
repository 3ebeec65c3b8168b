import { z } from "zod/v4";

export const greetingSchema = z.strictObject({ text: z.string().min(1).max(100) });
export const greetingsSchema = z.object({ greetings: z.array(z.object({ text: z.string(), isSent: z.boolean() })) });
