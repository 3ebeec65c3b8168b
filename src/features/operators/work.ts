import type { RelayWork } from "../context.ts";
import { dueTimesStep } from "./due-times.ts";
import { keyEndsStep } from "./key-ends.ts";
import { resealerStep } from "./resealer.ts";
import { operatorRoutes } from "./routes.ts";

export const operatorsWork: RelayWork = {
  steps: [
    { name: "resealer", run: resealerStep, pollIntervalMs: 5_000 },
    { name: "dueTimes", run: dueTimesStep, pollIntervalMs: 30_000 },
    { name: "keys", run: keyEndsStep, pollIntervalMs: 30_000 },
  ],
  routes: [operatorRoutes],
};
