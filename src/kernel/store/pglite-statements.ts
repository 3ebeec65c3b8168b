import { parse, protocol, type PGlite } from "@electric-sql/pglite";
import type { SqlValue } from "./database.ts";
import { abortedTransaction, type Send } from "./faults.ts";
import { isOneStatement, parameter } from "./values.ts";

/** Statements that are kept prepared, of all schemas together. The one used least recently goes. */
const MAX_PREPARED = 2_048;

const { serialize } = protocol;

type Answer = Awaited<ReturnType<PGlite["execProtocol"]>>["messages"];

/**
 * Sends statements to PGlite, each in one message and prepared once. PGlite's own `query` prepares a statement anew each
 * time, in six messages: that takes three times as long.
 */
export interface PgliteStatements {
  /** Has statements find their tables in a schema from the next one on. */
  search(schema: string): void;
  /** @param schema that is searched now: which tables a statement means is settled when it is prepared */
  to(schema: string): Send;
  /** @throws Error where a statement of it has failed, and what was to be committed was not */
  readonly transaction: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

interface PreparedStatements {
  /** What is in front of a statement's values: how it comes to be prepared, where it is not. */
  prepare(key: string, sql: string): { readonly name: string; readonly messages: readonly Uint8Array[] };
  /** It has come to be prepared. */
  keep(key: string, name: string): void;
  /** @returns the names of those whose keys begin so, which are not known any more */
  forget(start: string): readonly string[];
}

function createPrepared(): PreparedStatements {
  /** Names, the one used least recently first. */
  const names = new Map<string, string>();
  let lastName = 0;
  return {
    prepare(key, sql) {
      const known = names.get(key);
      if (known !== undefined) {
        names.delete(key);
        names.set(key, known);
        return { name: known, messages: [] };
      }
      const name = `s${++lastName}`;
      const messages = [serialize.parse({ name, text: sql })];
      const [oldest] = names;
      if (oldest !== undefined && names.size >= MAX_PREPARED) {
        names.delete(oldest[0]);
        messages.unshift(serialize.close({ type: "S", name: oldest[1] }));
      }
      return { name, messages };
    },
    keep: (key, name) => void names.set(key, name),
    forget(start) {
      const gone = [...names].filter(([key]) => key.startsWith(start));
      for (const [key] of gone) names.delete(key);
      return gone.map(([, name]) => name);
    },
  };
}

export function createStatements(instance: PGlite): PgliteStatements {
  const prepared = createPrepared();
  /** Sent with the next statement: by itself each would take as long as one. */
  let ahead: Uint8Array[] = [];
  const execute = async (messages: readonly Uint8Array[]) => {
    const all = Buffer.concat([...ahead, ...messages]);
    ahead = [];
    const answer = await instance.execProtocol(all);
    return answer.messages;
  };
  const rowsOf = (messages: Answer) => parse.parseResults(messages, instance.parsers).at(-1)?.rows ?? [];
  const close = (name: string) => execute([serialize.close({ type: "S", name }), serialize.sync()]);

  const send = async (key: string, sql: string, values: readonly SqlValue[]): Promise<Answer> => {
    const { name, messages } = prepared.prepare(key, sql);
    const bound = serialize.bind({ statement: name, values: values.map(valueOf) });
    try {
      const portal = [serialize.describe({ type: "P" }), serialize.execute({}), serialize.sync()];
      const answer = await execute([...messages, bound, ...portal]);
      prepared.keep(key, name);
      return answer;
    } catch (failure) {
      // Whether it has come to be prepared is not known.
      if (messages.length > 0) await close(name);
      throw failure;
    }
  };

  return {
    search: (schema) => void ahead.push(serialize.query(`SET search_path TO ${schema}`)),
    to:
      (schema) =>
      async <Row extends object>(sql: string, values?: readonly SqlValue[]) => {
        if (isOneStatement(sql, values)) {
          // The caller says what its statement returns.
          return rowsOf(await send(`${schema} ${sql}`, sql, values ?? [])) as Row[];
        }
        const answer = await execute([serialize.query(sql)]);
        // Tables may be others now, and PostgreSQL refuses to execute what was prepared to return other columns.
        for (const name of prepared.forget(`${schema} `)) await close(name);
        // The caller says what its statement returns.
        return rowsOf(answer) as Row[];
      },
    async transaction(work) {
      ahead.push(serialize.query("BEGIN"));
      let result: Awaited<ReturnType<typeof work>>;
      try {
        result = await work();
      } catch (failure) {
        await execute([serialize.query("ROLLBACK")]);
        throw failure;
      }
      const answer = await execute([serialize.query("COMMIT")]);
      if (!answer.some((message) => "text" in message && message.text === "COMMIT")) throw abortedTransaction();
      return result;
    },
  };
}

function valueOf(value: SqlValue): string | Uint8Array | null {
  const given = parameter(value);
  if (typeof given === "boolean") return given ? "t" : "f";
  return typeof given === "number" ? String(given) : given;
}
