import { parse } from "../../../../scripts/lib/solidity/compile.ts";
import type { Source } from "../../../../scripts/lib/solidity/compile.ts";
import { generate } from "../../../../scripts/mutation/generate.ts";
import type { Mutant } from "../../../../scripts/mutation/generate.ts";

/** Files by their paths. */
export function parseTexts(texts: Readonly<Record<string, string>>): readonly Source[] {
  return parse(
    new Map(Object.entries(texts).map(([path, text]) => [path, Buffer.from(`pragma solidity 0.8.37;\n${text}`)])),
  );
}

/** The mutants of a contract with one function, which takes `a` and `b` and has some state and events. */
export function mutantsOfBody(body: string): readonly Mutant[] {
  return generate(
    parseTexts({
      "Body.sol": `contract Body {
        error No();
        event Yes(uint256 value);
        uint256 state;
        mapping(uint256 => uint256) many;
        function f(uint256 a, uint256 b, bool c) external returns (uint256 r) {
          ${body}
        }
      }`,
    }),
  );
}
