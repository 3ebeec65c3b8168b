import { readFileSync } from "node:fs";
import { parsePlan, type Member, type NetworkPlan } from "../../../../deploy/besu/plan.ts";

const EXAMPLE = readFileSync(new URL("../../../../deploy/example/network.json", import.meta.url), "utf8");
const PLAN = parsePlan(EXAMPLE);

/** The ten members of the example. */
export function exampleJson(): string {
  return EXAMPLE;
}

export function examplePlan(): NetworkPlan {
  return PLAN;
}

/** The example with other values at some paths, as in `chain.gasLimit`; undefined leaves the field out. */
export function jsonWith(changes: Readonly<Record<string, unknown>>): string {
  // Whatever the example is, a change of it is looked at by the parser.
  const plan = JSON.parse(exampleJson()) as object;
  for (const [path, value] of Object.entries(changes)) {
    const steps = path.split(".");
    let part: unknown = plan;
    for (const step of steps.slice(0, -1)) part = Reflect.get(Object(part), step);
    Reflect.set(Object(part), steps.at(-1) ?? "", value);
  }
  return JSON.stringify(plan);
}

export function planWith(changes: Readonly<Record<string, unknown>>): NetworkPlan {
  return parsePlan(jsonWith(changes));
}

export function memberOf(plan: NetworkPlan, name: string): Member {
  const found = plan.members.find((member) => member.name === name);
  if (found === undefined) throw new Error(`no member ${name}`);
  return found;
}
