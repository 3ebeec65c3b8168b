// @ts-check
// Solidity that is about to be released: every rule of the recommended set, and what is switched off with its reason.
module.exports = {
  extends: "solhint:recommended",
  rules: {
    "code-complexity": ["error", 10],
    "compiler-version": ["error", "0.8.37"],
    "func-param-name-mixedcase": "error",
    "func-visibility": ["error", { ignoreConstructors: true }],
    "max-line-length": ["error", 120],
    "modifier-name-mixedcase": "error",
    "no-unused-private-funcs": "error",
    ordering: "error",
    "payable-fallback": "error",

    // A public immutable is the getter that the interface declares, so it is named like a function.
    "immutable-vars-naming": ["error", { immutablesAsConstants: false }],

    // `npm run docs:contracts` asks for NatSpec instead: it reads the compiler's tree, so it knows inheritance, untagged
    // notices, errors and structs, which this rule does not.
    "use-natspec": "off",
    // A limit is stated as the protocol states it; turning <= into < + 1 saves nothing measurable and hides the limit.
    "gas-strict-inequalities": "off",
    // A field is indexed where someone looks events up by it; each index costs 375 gas.
    "gas-indexed-events": "off",
    // The long strings are EIP-712 type descriptions, hashed by the compiler.
    "gas-small-strings": "off",
    // Struct order is the protocol's (EIP-712), and the rule takes every user-defined type for a whole slot.
    "gas-struct-packing": "off",
  },
};
