import type { z } from "zod/v4";
import type { paths } from "./api.ts";
import { readAnswer, type Connection } from "./http.ts";
import { ROUTES } from "./routes.ts";

/** A route of the API's document: its method and its path, as `GET /v1/quotes/{id}`. */
export type RouteName = keyof typeof ROUTES;

type OperationOf<Name extends RouteName> = Name extends `${infer Method} ${infer Path extends keyof paths}`
  ? Lowercase<Method> extends infer Member extends keyof paths[Path]
    ? paths[Path][Member]
    : never
  : never;

type JsonIn<Carrier> = Carrier extends { readonly content: { readonly "application/json": infer Body } } ? Body : never;

/** What a route answers; undefined where that is nothing. */
export type AnswerOf<Name extends RouteName> =
  OperationOf<Name> extends { readonly responses: infer Responses }
    ? [JsonIn<Responses[keyof Responses]>] extends [never]
      ? undefined
      : JsonIn<Responses[keyof Responses]>
    : never;

type ParametersOf<Name extends RouteName> =
  OperationOf<Name> extends { readonly parameters: infer Parameters }
    ? Pick<Parameters, Extract<keyof Parameters, "path" | "query">>
    : never;

type BodyOf<Name extends RouteName> =
  OperationOf<Name> extends { readonly requestBody: infer Carrier } ? { readonly body: JsonIn<Carrier> } : unknown;

export interface AskOptions {
  /** For one attempt; that of the client unless told. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What a route is given: the parameters of its path and its query, and its body. */
export type GivenTo<Name extends RouteName> = ParametersOf<Name> & BodyOf<Name> & AskOptions;

/** The second argument may be left out where nothing in it is needed. */
export type Arguments<Name extends RouteName> =
  Partial<GivenTo<Name>> extends GivenTo<Name> ? [given?: GivenTo<Name>] : [given: GivenTo<Name>];

interface Route<Answer> {
  /** Whether to ask twice changes nothing. */
  readonly canRepeat: boolean;
  /** Missing where the answer is nothing. */
  readonly answer?: z.ZodType<Answer>;
}

/** That each schema reads what the document says. */
const routes: { readonly [Name in RouteName]: Route<AnswerOf<Name>> } = ROUTES;

/** What any route may be given; which one is given what is for the types above. */
interface Given extends AskOptions {
  readonly path?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
}

/**
 * Asks one of the document's routes. What can be repeated is, and an answer that is not as documented counts as none.
 * @throws RelayProblem when the relay refuses
 * @throws RelayUnreachable when there is no answer
 */
export async function askRoute<Name extends RouteName>(
  connection: Connection,
  name: Name,
  ...[given]: Arguments<Name>
): Promise<{ readonly value: AnswerOf<Name>; readonly headers: Headers }> {
  const { path = {}, body, ...request }: Given = given ?? {};
  const route: Route<AnswerOf<Name>> = routes[name];
  const [method = "", template = ""] = name.split(" ");
  const filled = template.replace(/\{(\w+)\}/g, (_, parameter: string) =>
    encodeURIComponent(String(path[parameter] ?? "")),
  );
  const { text, headers } = await connection.send(method, filled, {
    ...request,
    canRepeat: route.canRepeat,
    ...(body === undefined ? {} : { body: { type: "application/json", text: JSON.stringify(body) } }),
  });
  const schema = route.answer;
  // Where there is no schema, the document has no answer.
  const value: unknown = schema === undefined ? undefined : readAnswer<unknown>(schema, text);
  // That the schema is this route's, and reads what the document says, is what `routes` was compiled with.
  return { value: value as AnswerOf<Name>, headers };
}
