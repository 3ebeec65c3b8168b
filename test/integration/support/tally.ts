import type { Database } from "../../../src/kernel/store/database.ts";

/** What steps ask for, by the statement's or the method's name. */
export class Tally {
  readonly statements: string[] = [];
  readonly calls: string[] = [];
  /** Of which several may be in one. */
  requests = 0;

  clear(): void {
    this.statements.length = this.calls.length = this.requests = 0;
  }

  /** As a statement of its own, or in a transaction. */
  counting(db: Database): Database {
    const note = (sql: string) => void this.statements.push(sql.replace(/\s+/g, " ").slice(0, 60));
    return {
      ...db,
      query(sql, values) {
        note(sql);
        return db.query(sql, values);
      },
      transaction: (work) =>
        db.transaction((tx) =>
          work({
            query(sql, values) {
              note(sql);
              return tx.query(sql, values);
            },
          }),
        ),
    };
  }

  readonly fetch: typeof globalThis.fetch = (url, init) => {
    const { body } = init ?? {};
    const sent: unknown = JSON.parse(typeof body === "string" ? body : "null");
    // What a JSON-RPC client sends: a call, or a list of them.
    const calls = (Array.isArray(sent) ? sent : [sent]) as readonly { readonly method: string }[];
    this.requests++;
    this.calls.push(...calls.map(({ method }) => method));
    return globalThis.fetch(url, init);
  };
}
