import { parameter } from "../../../../src/kernel/store/values.ts";
import type { Database, Queryable, SqlValue } from "../../../../src/kernel/store/database.ts";

/** What a statement costs at most, of the times that it was looked at. */
export interface Cost {
  /** Pages that it touches. */
  readonly buffers: number;
  /** Rows that it gives. */
  readonly rows: number;
  /** Rows that it reads and throws away. */
  readonly discarded: number;
  /** Tables that it reads from one end to the other. */
  readonly scans: ReadonlySet<string>;
}

export interface Recorder {
  readonly db: Database;
  /** By the statement's text. */
  readonly costs: ReadonlyMap<string, Cost>;
}

/** Nothing of what is looked at stays. */
class Undone extends Error {}

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  /** As it is reckoned, before it runs. */
  readonly "Total Cost": number;
  readonly "Actual Loops": number;
  readonly "Actual Rows": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Join Filter"?: number;
  readonly "Shared Hit Blocks": number;
  readonly "Shared Read Blocks": number;
  readonly Plans?: readonly PlanNode[];
}

const EXPLAINED = /^\s*(?:WITH|SELECT|INSERT|UPDATE|DELETE)\b/;
/** A statement that is sent again and again is looked at so often. */
const MOST_LOOKED_AT = 6;

/** A statement that touches more is looked at twice: what comes of a vacuum beside it, and only once, is not the statement's. */
const MANY_PAGES = 100;

/**
 * Has PostgreSQL explain every statement, as it is sent and where it is, before it runs: as it is planned for its values,
 * and as it may be once and for all where it is kept prepared.
 */
export function recording(db: Database): Recorder {
  const costs = new Map<string, Cost>();
  const times = new Map<string, number>();
  const isDue = (sql: string): boolean => {
    const before = times.get(sql) ?? 0;
    times.set(sql, before + 1);
    return EXPLAINED.test(sql) && before < MOST_LOOKED_AT;
  };
  const explain = async (tx: Queryable, sql: string, values: readonly SqlValue[] = []): Promise<void> => {
    const ofPrepared = `EXECUTE looked_at${values.length === 0 ? "" : `(${values.map(literal).join(", ")})`}`;
    await tx.query(`PREPARE looked_at AS ${sql}`);
    const once = async (mode: string): Promise<PlanNode | undefined> => {
      await tx.query(`SAVEPOINT one; SET LOCAL plan_cache_mode = ${mode}`);
      const [row] = await tx.query<{ "QUERY PLAN": readonly { readonly Plan: PlanNode }[] }>(
        `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${ofPrepared}`,
      );
      await tx.query("ROLLBACK TO SAVEPOINT one");
      return row?.["QUERY PLAN"][0]?.Plan;
    };
    const planned = async (mode: string): Promise<PlanNode | undefined> => {
      const plan = await once(mode);
      if (plan === undefined || pagesOf(plan) < MANY_PAGES) return plan;
      const again = await once(mode);
      return again !== undefined && pagesOf(again) < pagesOf(plan) ? again : plan;
    };
    const forThese = await planned("force_custom_plan");
    const onceForAll = await planned("force_generic_plan");
    await tx.query("DEALLOCATE looked_at");
    if (forThese === undefined || onceForAll === undefined) throw new Error("PostgreSQL does not tell its plans");
    costs.set(sql, costlier(costs.get(sql), forThese));
    if (isKept(onceForAll, forThese)) costs.set(sql, costlier(costs.get(sql), onceForAll));
  };
  return {
    costs,
    db: {
      ...db,
      async query(sql, values) {
        if (isDue(sql)) {
          await db
            .transaction(async (tx) => {
              await explain(tx, sql, values);
              throw new Undone();
            })
            .catch((failure: unknown) => {
              if (!(failure instanceof Undone)) throw failure;
            });
        }
        return db.query(sql, values);
      },
      transaction: (work) =>
        db.transaction((tx) =>
          work({
            async query(sql, values) {
              if (isDue(sql)) {
                await tx.query("SAVEPOINT looking");
                await explain(tx, sql, values);
                await tx.query("ROLLBACK TO SAVEPOINT looking");
              }
              return tx.query(sql, values);
            },
          }),
        ),
    },
  };
}

/** What PostgreSQL reckons for planning, for each table that is read and one more. */
const PLANNING_COST = 2.5;

/**
 * Whether PostgreSQL takes a plan that is good for all values, of a statement that is kept prepared: where it reckons that
 * one for these values, with what planning costs, is no cheaper.
 */
function isKept(onceForAll: PlanNode, forThese: PlanNode): boolean {
  const tables = nodesOf(forThese).filter((node) => node["Relation Name"] !== undefined).length;
  return onceForAll["Total Cost"] < forThese["Total Cost"] + PLANNING_COST * (tables + 1);
}

/** A value as it stands in a statement, of whatever type is wanted there. */
function literal(value: SqlValue): string {
  const given = parameter(value);
  if (given === null) return "NULL";
  const text = given instanceof Uint8Array ? `\\x${Buffer.from(given).toString("hex")}` : String(given);
  return `'${text.replaceAll("'", "''")}'`;
}

function costlier(before: Cost | undefined, plan: PlanNode): Cost {
  const nodes = nodesOf(plan);
  const scans = nodes.flatMap((node) => (node["Node Type"] === "Seq Scan" ? (node["Relation Name"] ?? []) : []));
  const discarded = nodes.reduce((sum, node) => {
    const perLoop = (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Join Filter"] ?? 0);
    return sum + perLoop * node["Actual Loops"];
  }, 0);
  return {
    buffers: Math.max(before?.buffers ?? 0, pagesOf(plan)),
    rows: Math.max(before?.rows ?? 0, plan["Actual Rows"]),
    discarded: Math.max(before?.discarded ?? 0, discarded),
    scans: new Set([...(before?.scans ?? []), ...scans]),
  };
}

function pagesOf(plan: PlanNode): number {
  return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"];
}

function nodesOf(node: PlanNode): readonly PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
