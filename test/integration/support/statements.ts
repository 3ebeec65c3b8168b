import { join } from "node:path";
import ts from "typescript";

// Finds every statement that the relay sends to its store, and computes its text from the source.

/** A call of `Queryable.query`. */
export interface Statement {
  /** File and line. */
  readonly place: string;
  /** All that the text can be: it may have parts that depend on the moment. */
  readonly texts: readonly string[];
  /** Of the list of values, where that is written out; undefined otherwise. */
  readonly values: number | undefined;
  /** By column; undefined where the call declares no row. */
  readonly row: ReadonlyMap<string, ColumnType> | undefined;
}

export interface ColumnType {
  /** As it is written. */
  readonly text: string;
  readonly isNullable: boolean;
  /** Whether it takes every value of a type, apart from null. */
  readonly takes: (type: DriverType) => boolean;
}

/** What the drivers make of a column. */
export type DriverType = "string" | "number" | "bigint" | "boolean" | "Uint8Array" | "string[]" | "bigint[]" | "json";

/** A call whose text the source alone does not tell. */
export interface OpaqueStatement {
  readonly place: string;
  readonly why: string;
}

/** Something that the source alone does not tell. */
class Opaque extends Error {}

/** Something that may be one of several, everywhere in a statement the same. */
class Choice extends Error {
  readonly options: readonly Scope[];

  constructor(options: readonly Scope[]) {
    super("a choice");
    this.options = options;
  }
}

type Value = string | number | undefined | readonly Value[];
type Bound = { readonly value: Value } | { readonly given: ts.Expression | undefined; readonly scope: Scope };
/** What names stand for. */
type Scope = ReadonlyMap<ts.Symbol, Bound>;

const MOST_TEXTS = 64;

export interface FoundStatements {
  readonly statements: readonly Statement[];
  readonly opaque: readonly OpaqueStatement[];
}

/** @param folders of the project whose files are looked through */
export function findStatements(root: string, folders: readonly string[]): FoundStatements {
  const configPath = join(root, "tsconfig.json");
  const { config } = ts.readConfigFile(configPath, (path) => ts.sys.readFile(path)) as { readonly config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const names = folders.flatMap((folder) => ts.sys.readDirectory(join(root, folder), [".ts"]));
  const program = ts.createProgram(names, options);
  const statements: Statement[] = [];
  const opaque: OpaqueStatement[] = [];
  const reader = createReader(program.getTypeChecker());
  for (const file of program.getSourceFiles()) {
    if (!names.includes(file.fileName)) continue;
    for (const call of reader.callsIn(file)) {
      const line = file.getLineAndCharacterOfPosition(call.getStart()).line + 1;
      const place = `${file.fileName.slice(root.length)}:${line}`;
      try {
        statements.push({ place, ...reader.read(call) });
      } catch (failure) {
        if (!(failure instanceof Opaque)) throw failure;
        opaque.push({ place: place.replace(/:\d+$/, ""), why: failure.message });
      }
    }
  }
  return { statements, opaque };
}

function createReader(checker: ts.TypeChecker) {
  function callsIn(node: ts.Node): readonly ts.CallExpression[] {
    const found: ts.CallExpression[] = [];
    const visit = (each: ts.Node): void => {
      if (ts.isCallExpression(each) && isQuery(each)) found.push(each);
      ts.forEachChild(each, visit);
    };
    visit(node);
    return found;
  }

  function isQuery(call: ts.CallExpression): boolean {
    if (!ts.isPropertyAccessExpression(call.expression) || call.expression.name.text !== "query") return false;
    return (
      checker.getResolvedSignature(call)?.declaration?.getSourceFile().fileName.endsWith("store/database.ts") === true
    );
  }

  function read(call: ts.CallExpression): Omit<Statement, "place"> {
    const [sql, values] = call.arguments;
    if (sql === undefined) throw new Opaque("it has no text");
    const texts = everythingIn(sql).map(textOf);
    const isWritten =
      values === undefined || (ts.isArrayLiteralExpression(values) && !values.elements.some(ts.isSpreadElement));
    const [declared] = call.typeArguments ?? [];
    return {
      texts: [...new Set(texts)],
      values: isWritten ? (values?.elements.length ?? 0) : undefined,
      row: declared === undefined ? undefined : columnsOf(declared),
    };
  }

  function columnsOf(declared: ts.TypeNode): ReadonlyMap<string, ColumnType> {
    const row = checker.getTypeFromTypeNode(declared);
    if ((row.flags & ts.TypeFlags.TypeParameter) !== 0) throw new Opaque("the row is the caller's");
    return new Map(
      row.getProperties().map((property) => {
        const type = checker.getTypeOfSymbolAtLocation(property, declared);
        const bare = checker.getNonNullableType(type);
        const takes = (driver: DriverType) => everyPart(bare, (part) => isOf(part, driver));
        return [property.name, { text: checker.typeToString(type), isNullable: bare !== type, takes }] as const;
      }),
    );
  }

  function isOf(type: ts.Type, driver: DriverType): boolean {
    if (driver === "string[]" || driver === "bigint[]") {
      const element = checker.getIndexTypeOfType(type, ts.IndexKind.Number);
      return element !== undefined && isOf(element, driver === "string[]" ? "string" : "bigint");
    }
    const isBytes = type.getSymbol()?.name === "Uint8Array";
    if (driver === "Uint8Array") return isBytes;
    if (driver === "json") return !isBytes && !checker.isTypeAssignableTo(type, checker.getBigIntType());
    const wanted = {
      string: checker.getStringType(),
      number: checker.getNumberType(),
      bigint: checker.getBigIntType(),
      boolean: checker.getBooleanType(),
    };
    return checker.isTypeAssignableTo(type, wanted[driver]);
  }

  function everyPart(type: ts.Type, is: (part: ts.Type) => boolean): boolean {
    return type.isUnion() ? type.types.every(is) : is(type);
  }

  /** All that an expression can be, whatever is chosen. */
  function everythingIn(node: ts.Expression): readonly Value[] {
    const values: Value[] = [];
    const scopes: Scope[] = [new Map()];
    for (let scope = scopes.pop(); scope !== undefined; scope = scopes.pop()) {
      if (values.length + scopes.length > MOST_TEXTS) throw new Opaque("it can be too many things");
      const tried = scope;
      try {
        values.push(...evaluate(node, tried));
      } catch (failure) {
        if (!(failure instanceof Choice)) throw failure;
        scopes.push(...failure.options.map((option) => new Map([...tried, ...option])));
      }
    }
    return values;
  }

  function evaluate(node: ts.Expression, scope: Scope): readonly Value[] {
    if (isWrapper(node)) return evaluate(node.expression, scope);
    if (ts.isStringLiteralLike(node)) return [node.text];
    if (ts.isNumericLiteral(node)) return [Number.parseInt(node.text, 10)];
    if (ts.isTemplateExpression(node)) {
      return node.templateSpans.reduce<readonly Value[]>(
        (texts, { expression, literal }) =>
          combine(texts, evaluate(expression, scope), (one, other) => `${textOf(one)}${textOf(other)}${literal.text}`),
        [node.head.text],
      );
    }
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
      return combine(evaluate(node.left, scope), evaluate(node.right, scope), plus);
    }
    if (ts.isConditionalExpression(node)) return evaluateConditional(node, scope);
    if (ts.isArrayLiteralExpression(node)) return evaluateArray(node, scope);
    if (ts.isCallExpression(node)) return evaluateCall(node, scope);
    if (ts.isIdentifier(node)) return evaluateName(node, scope);
    const member = ts.isPropertyAccessExpression(node) ? memberOf(node.expression, node.name.text, scope) : undefined;
    return member === undefined ? literalsOf(node) : evaluate(member, scope);
  }

  /** The strings that an expression's type is made of. */
  function literalsOf(node: ts.Expression): readonly string[] {
    const type = checker.getTypeAtLocation(node);
    const parts = type.isUnion() ? type.types : [type];
    return parts.map((part) => {
      if (!part.isStringLiteral()) throw new Opaque(`${node.getText()} is known at run time only`);
      return part.value;
    });
  }

  function evaluateName(node: ts.Identifier, scope: Scope): readonly Value[] {
    if (node.text === "undefined") return [undefined];
    const symbol = resolved(node);
    const bound = symbol && scope.get(symbol);
    if (bound !== undefined) return valuesOf(bound, scope);
    const declaration = symbol?.valueDeclaration;
    if (symbol === undefined || declaration === undefined) throw new Opaque(`${node.text} is known at run time only`);
    if (ts.isVariableDeclaration(declaration) && declaration.initializer !== undefined) {
      return evaluate(declaration.initializer, scope);
    }
    if (ts.isBindingElement(declaration) && ts.isVariableDeclaration(declaration.parent.parent)) {
      const { initializer } = declaration.parent.parent;
      const member =
        initializer && memberOf(initializer, (declaration.propertyName ?? declaration.name).getText(), scope);
      if (member !== undefined) return evaluate(member, scope);
    }
    const calls = ts.isParameter(declaration) ? callsOf(declaration.parent) : [];
    if (calls.length > 0) {
      throw new Choice(calls.map((call) => bind(declaration.parent as ts.SignatureDeclaration, call, new Map())));
    }
    throw new Choice(literalsOf(node).map((value) => new Map([[symbol, { value }]])));
  }

  function valuesOf(bound: Bound, scope: Scope): readonly Value[] {
    if ("value" in bound) return [bound.value];
    return bound.given === undefined ? [undefined] : evaluate(bound.given, new Map([...scope, ...bound.scope]));
  }

  /** A member of an object that is written out; undefined where it is not. */
  function memberOf(node: ts.Expression, name: string, scope: Scope): ts.Expression | undefined {
    const object = objectOf(node, scope);
    const property = object?.properties.find((each) => each.name?.getText() === name);
    return property !== undefined && ts.isPropertyAssignment(property) ? property.initializer : undefined;
  }

  function objectOf(node: ts.Expression, scope: Scope): ts.ObjectLiteralExpression | undefined {
    if (ts.isObjectLiteralExpression(node)) return node;
    if (isWrapper(node)) return objectOf(node.expression, scope);
    if (ts.isElementAccessExpression(node)) {
      const [name] = evaluate(node.argumentExpression, scope);
      const member = memberOf(node.expression, textOf(name), scope);
      return member && objectOf(member, scope);
    }
    const declaration = ts.isIdentifier(node) ? resolved(node)?.valueDeclaration : undefined;
    const isWritten = declaration !== undefined && ts.isVariableDeclaration(declaration);
    return isWritten && declaration.initializer !== undefined ? objectOf(declaration.initializer, scope) : undefined;
  }

  /** Where a function of a file is called in it. */
  function callsOf(called: ts.Node): readonly ts.CallExpression[] {
    const found: ts.CallExpression[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && checker.getResolvedSignature(node)?.declaration === called) found.push(node);
      ts.forEachChild(node, visit);
    };
    visit(called.getSourceFile());
    return found;
  }

  function bind(called: ts.SignatureDeclaration, call: ts.CallExpression, scope: Scope): Scope {
    const bound = new Map(scope);
    for (const [index, { name, initializer }] of called.parameters.entries()) {
      const symbol = ts.isIdentifier(name) ? checker.getSymbolAtLocation(name) : undefined;
      if (symbol !== undefined) bound.set(symbol, { given: call.arguments[index] ?? initializer, scope });
    }
    return bound;
  }

  function evaluateConditional(node: ts.ConditionalExpression, scope: Scope): readonly Value[] {
    const { condition } = node;
    // Whether something was given is known where the parameter is.
    if (
      ts.isBinaryExpression(condition) &&
      condition.right.getText() === "undefined" &&
      ts.isIdentifier(condition.left)
    ) {
      const symbol = resolved(condition.left);
      const bound = symbol && scope.get(symbol);
      if (bound !== undefined && "given" in bound) {
        const isEqual = condition.operatorToken.kind === ts.SyntaxKind.EqualsEqualsEqualsToken;
        return evaluate((bound.given === undefined) === isEqual ? node.whenTrue : node.whenFalse, scope);
      }
    }
    return [...evaluate(node.whenTrue, scope), ...evaluate(node.whenFalse, scope)];
  }

  function evaluateArray(node: ts.ArrayLiteralExpression, scope: Scope): readonly Value[] {
    return node.elements.reduce<readonly Value[]>(
      (arrays, element) => {
        const isSpread = ts.isSpreadElement(element);
        const members = evaluate(isSpread ? element.expression : element, scope);
        return combine(arrays, members, (array, member) => [
          ...listOf(array),
          ...(isSpread ? listOf(member) : [member]),
        ]);
      },
      [[]],
    );
  }

  function evaluateCall(node: ts.CallExpression, scope: Scope): readonly Value[] {
    const { expression: callee } = node;
    if (ts.isPropertyAccessExpression(callee) && callee.name.text === "join") {
      const [separator] = node.arguments;
      const separators = separator === undefined ? [","] : evaluate(separator, scope);
      return combine(evaluate(callee.expression, scope), separators, (list, text) =>
        listOf(list).map(textOf).join(textOf(text)),
      );
    }
    const [mapped] = node.arguments;
    if (ts.isPropertyAccessExpression(callee) && callee.name.text === "map" && mapped && ts.isArrowFunction(mapped)) {
      return evaluate(callee.expression, scope).map((list) =>
        listOf(list).map((value) => applied(mapped, value, scope)),
      );
    }
    const declaration = checker.getResolvedSignature(node)?.declaration;
    const body = declaration !== undefined && "body" in declaration ? declaration.body : undefined;
    if (declaration === undefined || body === undefined || ts.isJSDocSignature(declaration)) {
      throw new Opaque(`${node.getText()} is known at run time only`);
    }
    return resultsOf(body, bind(declaration, node, scope));
  }

  function applied(each: ts.ArrowFunction, value: Value, scope: Scope): Value {
    const [parameter] = each.parameters;
    const symbol = parameter && checker.getSymbolAtLocation(parameter.name);
    return resultsOf(each.body, symbol === undefined ? scope : new Map([...scope, [symbol, { value }]]))[0];
  }

  function resultsOf(body: ts.Node, scope: Scope): readonly Value[] {
    if (!ts.isBlock(body)) return evaluate(body as ts.Expression, scope); // an arrow's
    const results: Value[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isFunctionLike(node)) return;
      if (ts.isReturnStatement(node) && node.expression !== undefined) {
        results.push(...evaluate(node.expression, scope));
      }
      ts.forEachChild(node, visit);
    };
    visit(body);
    return results;
  }

  function resolved(node: ts.Identifier): ts.Symbol | undefined {
    const symbol = checker.getSymbolAtLocation(node);
    if (symbol === undefined) return undefined;
    return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
  }

  return { callsIn, read };
}

function isWrapper(
  node: ts.Node,
): node is ts.ParenthesizedExpression | ts.AsExpression | ts.SatisfiesExpression | ts.NonNullExpression {
  return (
    ts.isParenthesizedExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isSatisfiesExpression(node) ||
    ts.isNonNullExpression(node)
  );
}

function plus(left: Value, right: Value): Value {
  return typeof left === "number" && typeof right === "number" ? left + right : `${textOf(left)}${textOf(right)}`;
}

function combine(
  left: readonly Value[],
  right: readonly Value[],
  join: (left: Value, right: Value) => Value,
): readonly Value[] {
  if (left.length * right.length > MOST_TEXTS) throw new Opaque("it can be too many things");
  return left.flatMap((one) => right.map((other) => join(one, other)));
}

function textOf(value: Value): string {
  if (typeof value !== "string" && typeof value !== "number") throw new Opaque("a part of it is no text");
  return String(value);
}

function listOf(value: Value): readonly Value[] {
  if (typeof value !== "object") throw new Opaque("a part of it is no list");
  return value;
}
