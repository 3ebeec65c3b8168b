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

/** Has PostgreSQL explain every statement, as it is sent and where it is, before it runs. */
export function recording(db: Database): Recorder {
  const costs = new Map<string, Cost>();
  const times = new Map<string, number>();
  const isDue = (sql: string): boolean => {
    const before = times.get(sql) ?? 0;
    times.set(sql, before + 1);
    return EXPLAINED.test(sql) && before < MOST_LOOKED_AT;
  };
  const explain = async (tx: Queryable, sql: string, values?: readonly SqlValue[]): Promise<void> => {
    const [row] = await tx.query<{ "QUERY PLAN": readonly { readonly Plan: PlanNode }[] }>(
      `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${sql}`,
      values,
    );
    for (const { Plan: plan } of row?.["QUERY PLAN"] ?? []) costs.set(sql, costlier(costs.get(sql), plan));
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

function costlier(before: Cost | undefined, plan: PlanNode): Cost {
  const nodes = nodesOf(plan);
  const scans = nodes.flatMap((node) => (node["Node Type"] === "Seq Scan" ? (node["Relation Name"] ?? []) : []));
  const discarded = nodes.reduce((sum, node) => {
    const perLoop = (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Join Filter"] ?? 0);
    return sum + perLoop * node["Actual Loops"];
  }, 0);
  return {
    buffers: Math.max(before?.buffers ?? 0, plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]),
    rows: Math.max(before?.rows ?? 0, plan["Actual Rows"]),
    discarded: Math.max(before?.discarded ?? 0, discarded),
    scans: new Set([...(before?.scans ?? []), ...scans]),
  };
}

function nodesOf(node: PlanNode): readonly PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
