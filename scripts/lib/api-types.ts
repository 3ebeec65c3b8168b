import openapiTypes, { astToString } from "openapi-typescript";
import type { OpenAPIV3_1 } from "openapi-types";
import ts from "typescript";
import { EVENT_TYPE } from "../../src/schema/network.ts";
import { answersOf, readDocument, routesOf } from "./api-routes.ts";

/** The types of what is sent and answered when all is well; what is refused is thrown. */
export async function renderApiTypes(document: string): Promise<string> {
  const api = openToLater(readDocument(document));
  // What a relay sends to wallets is among the schemas.
  delete api.webhooks;
  for (const { operation } of routesOf(api)) operation.responses = Object.fromEntries(answersOf(operation));
  const types = await openapiTypes(Buffer.from(JSON.stringify(api)), { defaultNonNullable: false });
  return `// Made by \`npm run openapi\` from docs/openapi.json: change the routes' schemas, not this.\n/* eslint-disable max-lines -- as long as the document */\n\n${astToString(types.filter(ts.isInterfaceDeclaration).map(withUndefined))}`;
}

/** Later versions have more of these: a reader takes those as well. */
const GROWING = ["code", "reason"];

function openToLater(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  const open = (name: string, value: unknown): unknown => {
    if (![...GROWING, EVENT_TYPE].includes(name) || typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).filter(([member]) => member !== "enum"));
  };
  return readDocument(JSON.stringify(document, open));
}

/** Members that may be left out may be undefined, too, as in the schemas: both are sent as nothing. */
function withUndefined(node: ts.Node): ts.Node {
  const visit = (each: ts.Node): ts.Node => {
    const seen = ts.visitEachChild(each, visit, undefined);
    if (!ts.isPropertySignature(seen) || seen.questionToken === undefined || seen.type === undefined) return seen;
    if (seen.type.kind === ts.SyntaxKind.NeverKeyword) return seen;
    const type = ts.factory.createUnionTypeNode([
      seen.type,
      ts.factory.createKeywordTypeNode(ts.SyntaxKind.UndefinedKeyword),
    ]);
    return ts.factory.updatePropertySignature(seen, seen.modifiers, seen.name, seen.questionToken, type);
  };
  return visit(node);
}
