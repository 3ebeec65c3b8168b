import { expect } from "chai";
import { parseConfigFile } from "../../../src/app/config.ts";
import { MAX_PEER_SKEW_SECONDS } from "../../../src/app/config-schema.ts";
import { MAX_SKEW_SECONDS } from "../../../src/features/peers/signatures.ts";
import { LEAST, problemsOf } from "./fixtures.ts";

describe("a configuration whose values contradict each other", () => {
  it("is refused, with the key and the rule", () => {
    const cases: readonly [section: string, key: string, rule: string][] = [
      [
        "lookups: { perMinute: 11, perDay: 10 }",
        "lookups.perMinute",
        "not above lookups.perDay: so many are never reached",
      ],
      [
        "batch: { maxDelayMs: 7500 }",
        "quote.leastValiditySeconds",
        "more than twice batch.maxDelayMs: quotes would end while their transfers wait to be sent",
      ],
      [
        "clock: { maxSkewSeconds: 16 }",
        "clock.maxSkewSeconds",
        "at most quote.leastValiditySeconds: by a clock that is further off, quotes would be used that have ended",
      ],
      [
        "quote: { validitySeconds: 30 }",
        "quote.validitySeconds",
        "more than twice clock.maxSkewSeconds: what one process gives would have ended by the clock of another already",
      ],
      [
        "transfers: { validitySeconds: 30 }\nretry: { maxDelayMs: 100 }",
        "transfers.validitySeconds",
        "more than twice clock.maxSkewSeconds: what one process accepts would have expired by the clock of another already",
      ],
      [
        "transfers: { validitySeconds: 60 }\nretry: { maxDelayMs: 60000 }",
        "retry.maxDelayMs",
        "less than transfers.validitySeconds: transfers would fail while what has failed once waits to be tried again",
      ],
      [
        "batch: { holdSeconds: 30 }",
        "retry.maxDelayMs",
        "less than batch.holdSeconds: batches would expire while what has failed once waits to be tried again",
      ],
    ];
    for (const [section, key, rule] of cases) {
      expect(problemsOf(() => parseConfigFile(`${LEAST}\n${section}`))).to.deep.equal([{ key, rule }]);
    }
    const polls = LEAST.replace("addresses:", "pollIntervalMs: 1000\n  receiptTimeoutMs: 1000\n  addresses:");
    expect(problemsOf(() => parseConfigFile(polls))).to.deep.equal([
      {
        key: "ledger.pollIntervalMs",
        rule: "less than ledger.receiptTimeoutMs: a transaction would be sent again before its receipt is looked for",
      },
    ]);
    const LONG = "quote: { leastValiditySeconds: 60, validitySeconds: 120 }";
    const skew = problemsOf(() => parseConfigFile(`${LEAST}\n${LONG}\nclock: { maxSkewSeconds: 31 }`));
    expect(skew).to.deep.equal([{ key: "clock.maxSkewSeconds", rule: "an integer from 0 to 30" }]);
    expect(MAX_PEER_SKEW_SECONDS, "as much as other relays allow").to.equal(MAX_SKEW_SECONDS);
    const limits = parseConfigFile(
      [
        `${LEAST}\nlookups: { perMinute: 10, perDay: 10 }\nbatch: { maxDelayMs: 4999, holdSeconds: 22 }`,
        "quote: { leastValiditySeconds: 10, validitySeconds: 21 }\nclock: { maxSkewSeconds: 10 }",
        "transfers: { validitySeconds: 22 }\nretry: { maxDelayMs: 21999 }",
      ].join("\n"),
    );
    expect(limits.lookups).to.deep.equal({ perMinute: 10, perDay: 10 });
    const off = `${LEAST}\nquote: { leastValiditySeconds: 1, validitySeconds: 1 }\nclock: { maxSkewSeconds: 0 }`;
    expect(parseConfigFile(off).clock.maxSkewSeconds, "no check, no limit").to.equal(0);
  });

  it("would have transfers wait for others until they have failed", () => {
    const wrong = `${LEAST}\nbatch: { maxDelayMs: 10000 }\ntransfers: { validitySeconds: 10 }\nquote: { leastValiditySeconds: 60 }\nclock: { maxSkewSeconds: 4 }\nretry: { maxDelayMs: 100 }`;
    expect(problemsOf(() => parseConfigFile(wrong)).map(({ key }) => key)).to.deep.equal(["batch.maxDelayMs"]);
  });

  it("would begin to retry above its maximum", () => {
    const wrong = () => parseConfigFile(`${LEAST}\nretry: { firstDelayMs: 500, maxDelayMs: 100 }`);
    expect(problemsOf(wrong)[0]?.key).to.equal("retry.maxDelayMs");
  });
});
