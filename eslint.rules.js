// @ts-check

/**
 * A type assertion tells the compiler what it cannot see, so the reader is told why: in a comment on the same line, or
 * on the lines just above the assertion or the statement it is in. `as const` asserts nothing and needs none.
 * @type {import("eslint").Rule.RuleModule}
 */
const castCarriesReason = {
  meta: {
    type: "suggestion",
    schema: [],
    messages: { missing: "A cast carries its reason: say in a comment above, or on the line, why it holds." },
  },
  create(context) {
    const { sourceCode } = context;
    const commented = new Set(
      sourceCode.getAllComments().flatMap(({ loc }) => (loc === null || loc === undefined ? [] : linesOf(loc))),
    );
    return {
      TSAsExpression: check,
      TSTypeAssertion: check,
    };

    /** @param {any} node */
    function check(node) {
      if (node.typeAnnotation.type === "TSTypeReference" && node.typeAnnotation.typeName.name === "const") return;
      const cast = linesOf(node.loc);
      const statement = statementOf(node);
      const explained =
        cast.some((line) => commented.has(line)) ||
        commented.has(node.loc.start.line - 1) ||
        commented.has(statement.loc.start.line - 1);
      if (!explained) context.report({ node, messageId: "missing" });
    }
  },
};

/**
 * `eslint-disable` and its kin say what is switched off; the part after `--` says why.
 * @type {import("eslint").Rule.RuleModule}
 */
const disableCarriesReason = {
  meta: {
    type: "suggestion",
    schema: [],
    messages: { missing: "A disabled rule carries its reason: eslint-disable-next-line rule -- reason." },
  },
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          const directive = /^\s*eslint-disable/.test(comment.value);
          const explained = /\s--\s+\S/.test(comment.value);
          if (directive && !explained && comment.loc) context.report({ loc: comment.loc, messageId: "missing" });
        }
      },
    };
  },
};

/** @param {import("estree").SourceLocation} loc */
function linesOf(loc) {
  return Array.from({ length: loc.end.line - loc.start.line + 1 }, (_, index) => loc.start.line + index);
}

/** @param {any} node the nearest statement, class member or property around it */
function statementOf(node) {
  let current = node;
  while (!/Statement$|Declaration$|^Property$|PropertyDefinition$/.test(current.type) && current.parent) {
    current = current.parent;
  }
  return current;
}

export const reasons = {
  rules: { "cast-carries-reason": castCarriesReason, "disable-carries-reason": disableCarriesReason },
};
