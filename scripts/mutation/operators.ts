import { isNode, nodeAt, nodesAt, startOf, textAt } from "../lib/solidity/ast.ts";
import type { AstNode } from "../lib/solidity/ast.ts";

/** One small change of a source file: bytes from `start` on give way to `replacement`. */
export interface Change {
  readonly operator: Operator;
  readonly start: number;
  readonly length: number;
  readonly replacement: string;
}

export const OPERATORS = [
  "boundary",
  "negation",
  "arithmetic",
  "bitwise",
  "logical",
  "guard",
  "condition",
  "statement",
  "modifier",
  "literal",
] as const;

export type Operator = (typeof OPERATORS)[number];

/** What an operator of the language becomes. A comparison of order moves its boundary, and is turned round. */
const SWAPS: Readonly<Record<string, readonly (readonly [Operator, string])[]>> = {
  "<": [
    ["boundary", "<="],
    ["negation", ">="],
  ],
  "<=": [
    ["boundary", "<"],
    ["negation", ">"],
  ],
  ">": [
    ["boundary", ">="],
    ["negation", "<="],
  ],
  ">=": [
    ["boundary", ">"],
    ["negation", "<"],
  ],
  "==": [["negation", "!="]],
  "!=": [["negation", "=="]],
  "+": [["arithmetic", "-"]],
  "-": [["arithmetic", "+"]],
  "*": [["arithmetic", "/"]],
  "/": [["arithmetic", "*"]],
  "+=": [["arithmetic", "-="]],
  "-=": [["arithmetic", "+="]],
  "|": [["bitwise", "&"]],
  "&": [["bitwise", "|"]],
  "<<": [["bitwise", ">>"]],
  ">>": [["bitwise", "<<"]],
};

/** Statements that are left out as a whole. What declares a name or returns cannot be: the rest needs it. */
const EFFECTS = new Set(["Assignment", "FunctionCall", "UnaryOperation"]);

/** What an operand gives way to where the other operands are to decide alone. */
const NEUTRAL: Readonly<Record<string, string>> = { "&&": "true", "||": "false" };

/**
 * All changes of a function or modifier. Left out are those that cannot tell anything, by rules that hold anywhere:
 * - the step of a `for` loop, without which it never ends;
 * - what another change of the same condition implies: a test that sees an operand of `&&` or `||` gone sees it turned
 *   round and the two operators exchanged, and one that sees a guard, or one of its alternatives, gone sees it turned
 *   round, or gone with all of them;
 * - the boundary of a minimum or maximum (`a > b ? b : a`): both sides are equal there.
 */
export function changesOf(definition: AstNode, text: Buffer): readonly Change[] {
  const body = nodeAt(definition, "body");
  const invocations = nodesAt(definition, "modifiers").filter(
    (invocation) => textAt(invocation, "kind") === "modifierInvocation",
  );
  const changes = [
    ...invocations.map((invocation) => replace("modifier", invocation, "")),
    ...(body === undefined ? [] : changesBelow(body, text)),
  ];
  return changes.sort((left, right) => left.start - right.start);
}

function changesBelow(node: AstNode, text: Buffer): readonly Change[] {
  const own = changesHere(node, text);
  const below = Object.entries(node).flatMap(([key, value]) => {
    const children = (Array.isArray(value) ? value : [value]).filter(isNode);
    return children.flatMap((child) => {
      const changes = changesBelow(child, text);
      return changes.filter((change) => tells(change, node, key, child, text));
    });
  });
  return [...own, ...below];
}

function changesHere(node: AstNode, text: Buffer): readonly Change[] {
  switch (node.nodeType) {
    case "BinaryOperation":
      return textAt(node, "operator") in NEUTRAL
        ? operandChanges(node)
        : swap(node, "leftExpression", "rightExpression", text);
    case "Assignment":
      return swap(node, "leftHandSide", "rightHandSide", text);
    case "UnaryOperation":
      return textAt(node, "operator") === "!" ? [{ ...replace("negation", node, ""), length: 1 }] : [];
    case "Literal":
      if (textAt(node, "kind") !== "bool") return [];
      return [replace("literal", node, textAt(node, "value") === "true" ? "false" : "true")];
    case "IfStatement":
    case "Conditional":
      return conditionChanges(node, text);
    case "EmitStatement":
      return [leaveOut(node, text)];
    case "ExpressionStatement":
      return EFFECTS.has(nodeAt(node, "expression")?.nodeType ?? "") ? [leaveOut(node, text)] : [];
    default:
      return [];
  }
}

/** Whether a change somewhere in `child` tells anything in this place: see `changesOf`. */
function tells(change: Change, node: AstNode, key: string, child: AstNode, text: Buffer): boolean {
  if (node.nodeType === "ForStatement" && key === "loopExpression") return change.operator !== "statement";
  const implied = textAt(node, "operator") in NEUTRAL || (key === "condition" && isGuard(node));
  if (implied) return !changesHere(child, text).some((own) => own.operator === "negation" && isSame(own, change));
  return !(key === "condition" && isExtremum(node, child, text) && change.operator === "boundary");
}

function operandChanges(node: AstNode): readonly Change[] {
  const operator = textAt(node, "operator");
  const neutral = NEUTRAL[operator] ?? "";
  const operands = [nodeAt(node, "leftExpression"), nodeAt(node, "rightExpression")];
  return operands
    .filter((operand) => operand !== undefined)
    .filter((operand) => textAt(operand, "operator") !== operator)
    .map((operand) => replace("logical", operand, neutral));
}

function conditionChanges(node: AstNode, text: Buffer): readonly Change[] {
  const condition = nodeAt(node, "condition");
  if (condition === undefined) return [];
  if (isGuard(node)) return textAt(condition, "operator") === "||" ? [] : [replace("guard", condition, "false")];
  // Operations have changes of their own.
  if (["BinaryOperation", "UnaryOperation"].includes(condition.nodeType)) return [];
  return [replace("condition", condition, `!(${textOf(condition, text)})`)];
}

/** Whether all that an `if` does is to leave: by an error, or with a result. */
function isGuard(node: AstNode): boolean {
  if (node.nodeType !== "IfStatement") return false;
  const body = nodeAt(node, "trueBody");
  const statements = body?.nodeType === "Block" ? nodesAt(body, "statements") : body === undefined ? [] : [body];
  const [only, ...more] = statements;
  return more.length === 0 && (only?.nodeType === "RevertStatement" || only?.nodeType === "Return");
}

function isExtremum(node: AstNode, condition: AstNode, text: Buffer): boolean {
  const textAtKey = (of: AstNode, key: string): string => {
    const child = nodeAt(of, key);
    return child === undefined ? "" : textOf(child, text);
  };
  const compared = [textAtKey(condition, "leftExpression"), textAtKey(condition, "rightExpression")];
  const chosen = [textAtKey(node, "trueExpression"), textAtKey(node, "falseExpression")];
  return compared.sort().join("\n") === chosen.sort().join("\n");
}

function swap(node: AstNode, left: string, right: string, text: Buffer): readonly Change[] {
  const operator = textAt(node, "operator");
  const start = operatorAt(node, left, right, operator, text);
  const length = Buffer.byteLength(operator);
  return (SWAPS[operator] ?? []).map(([name, replacement]) => ({ operator: name, start, length, replacement }));
}

function isSame(left: Change, right: Change): boolean {
  return left.start === right.start && left.replacement === right.replacement;
}

function operatorAt(node: AstNode, left: string, right: string, operator: string, text: Buffer): number {
  const [before, after] = [nodeAt(node, left), nodeAt(node, right)];
  const from = before === undefined ? startOf(node) : endOf(before);
  const to = after === undefined ? endOf(node) : startOf(after);
  const at = text.subarray(from, to).indexOf(operator);
  if (at < 0) throw new Error(`no ${operator} between the operands of ${textOf(node, text)}`);
  return from + at;
}

/** An empty block in a statement's place stands wherever a statement may. */
function leaveOut(node: AstNode, text: Buffer): Change {
  const end = text.indexOf(";", endOf(node));
  return { operator: "statement", start: startOf(node), length: end + 1 - startOf(node), replacement: "{}" };
}

function replace(operator: Operator, node: AstNode, replacement: string): Change {
  return { operator, start: startOf(node), length: endOf(node) - startOf(node), replacement };
}

function endOf(node: AstNode): number {
  const [start = "", length = ""] = node.src.split(":");
  return Number.parseInt(start, 10) + Number.parseInt(length, 10);
}

function textOf(node: AstNode, text: Buffer): string {
  return text.subarray(startOf(node), endOf(node)).toString("utf8");
}
