// @ts-check
// Solidity that tests the contracts: the product's rules, less those that a test breaks on purpose.
const product = require("../../solhint.config.cjs");

module.exports = {
  ...product,
  rules: {
    ...product.rules,
    // A malicious signer or token sits beside the test that it attacks.
    "one-contract-per-file": "off",
    // test_RevertWhen_Expired reads as the branch it takes.
    "func-name-mixedcase": "off",
    // `vm` is a constant that every Solidity test calls by that name.
    "const-name-snakecase": "off",
    // The cheatcodes' interface is called Vm everywhere.
    "interface-starts-with-i": "off",
    // A test states what it expects in words.
    "gas-custom-errors": "off",
    "reason-string": "off",
    // Attackers make raw calls, answer anything and do nothing.
    "avoid-low-level-calls": "off",
    "no-complex-fallback": "off",
    "no-empty-blocks": "off",
    // A test tells its story in its own order, at its own length.
    "function-max-lines": "off",
    "max-states-count": "off",
    ordering: "off",
  },
};
