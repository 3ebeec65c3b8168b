import { expect } from "chai";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { createLogger, type Logger, type LogLevel } from "../../../../src/kernel/telemetry/logger.ts";

function capture(level: LogLevel = "debug"): {
  log: Logger;
  lines: () => Record<string, unknown>[];
  text: () => string;
} {
  let text = "";
  const log = createLogger({ level, fields: { partner: 4 }, destination: { write: (line) => void (text += line) } });
  const lines = (): Record<string, unknown>[] =>
    text
      .split("\n")
      .filter((line) => line !== "")
      // What the logger writes is an object a line; a test that it is not fails on its members.
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, lines, text: () => text };
}

describe("the logger", () => {
  it("writes one JSON object a line, with level, time and the fields of its children", () => {
    const { log, lines } = capture("info");
    log.debug("not said");
    log.child({ step: "batcher" }).info({ uetr: "7d0c…", amount: 12n }, "signed");
    const [line, ...others] = lines();
    expect(others).to.be.empty;
    expect(line).to.include({
      level: "info",
      partner: 4,
      step: "batcher",
      uetr: "7d0c…",
      amount: "12",
      message: "signed",
    });
    expect(line?.["time"]).to.match(/^\d{4}-\d\d-\d\dT/);
  });

  it("hides what is called like personal data or a secret, however deep", () => {
    const { log, text } = capture();
    const creditor = { name: "Maria Dela Cruz", alias: { type: "MSISDN", value: "+639171234567" } };
    log.info({ creditor, transfer: { remittance: "for Maria" }, list: [{ debtor: "Chan" }] }, "transfer");
    log
      .child({ authorization: "Bearer fq_1_abcdef" })
      .warn({ webhookSecret: "whsec_abcdef", password: "hunter2" }, "key");
    log.error({ sealed: new Uint8Array([1, 2, 3]), value: "+8613800138000" }, "row");
    expect(text()).not.to.match(/Maria|Cruz|Chan|abcdef|hunter2|9171234567|13800138000/);
    expect(text()).to.contain("[redacted]");
  });

  it("keeps of an error its kind, message, code and causes, and nothing that hangs on it", () => {
    const { log, lines, text } = capture();
    const cause = Object.assign(new Error("connection refused"), { code: "ECONNREFUSED", row: "Maria" });
    log.error({ error: Object.assign(new Error("not stored", { cause }), { detail: "Key (name)=(Maria)" }) }, "failed");
    const error = lines()[0]?.["error"];
    expect(error).to.deep.include({ type: "Error", message: "not stored" });
    expect(error).to.have.nested.property("cause.code", "ECONNREFUSED");
    expect(text()).not.to.contain("Maria");
  });

  it("tells the rule that an input broke, and not the input", () => {
    const { log, lines, text } = capture();
    log.warn({ error: new InvalidInput("creditor.alias.value", "E.164", "+639171234567") }, "refused");
    expect(lines()[0]?.["error"]).to.deep.equal({
      type: "InvalidInput",
      message: "creditor.alias.value: E.164",
      code: "INVALID_INPUT",
    });
    expect(text()).not.to.contain("9171234567");
  });
});
