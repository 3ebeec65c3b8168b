import type { RelayWork } from "../context.ts";
import { statisticsRoutes } from "./routes.ts";

export const statisticsWork: RelayWork = { routes: [statisticsRoutes] };
