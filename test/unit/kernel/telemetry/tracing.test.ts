import { setImmediate as turn } from "node:timers/promises";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { SpanStatusCode } from "@opentelemetry/api";
import { expect } from "chai";
import { createTracer, noTracer, tracerTo, type Tracer } from "../../../../src/kernel/telemetry/tracing.ts";

const BATCH = `0x${"ab".repeat(15)}01${"cd".repeat(16)}`;
const UETR = "eb6305c9-1f7f-49de-aed0-16487c27b42d";

describe("tracing", () => {
  let exporter: InMemorySpanExporter;
  let tracer: Tracer;

  beforeEach(() => {
    exporter = new InMemorySpanExporter();
    tracer = tracerTo(new SimpleSpanProcessor({ exporter }), "relay");
  });
  afterEach(() => tracer.close());

  const traceIds = (): Set<string> => new Set(exporter.getFinishedSpans().map((span) => span.spanContext().traceId));

  it("puts spans within spans, and over the wire into the other relay", async () => {
    const otherExporter = new InMemorySpanExporter();
    const other = tracerTo(new SimpleSpanProcessor({ exporter: otherExporter }), "other relay");
    await tracer.span("courier", {}, async () => {
      await turn();
      const headers = tracer.inject({ "content-type": "application/jose" });
      expect(headers["content-type"]).to.equal("application/jose");
      expect(headers["traceparent"]).to.match(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      await other.extract(headers, () => other.span("payload", {}, () => Promise.resolve()));
    });
    expect(otherExporter.getFinishedSpans().map(({ name }) => name)).to.deep.equal(["payload"]);
    const [received] = otherExporter.getFinishedSpans();
    expect(received?.spanContext().traceId).to.equal(exporter.getFinishedSpans()[0]?.spanContext().traceId);
    expect(received?.parentSpanContext?.spanId).to.equal(exporter.getFinishedSpans()[0]?.spanContext().spanId);
    await other.close();
  });

  it("puts what is about one batch or transfer into one trace, without a parent to tell it", async () => {
    await tracer.span("opener", { batch: BATCH }, () => Promise.resolve());
    await tracer.span("settler", { batch: BATCH }, () => Promise.resolve());
    expect([...traceIds()]).to.deep.equal([BATCH.slice(2, 34)]);
    await tracer.span("intake", { uetr: UETR }, () => Promise.resolve());
    expect([...traceIds()]).to.include(UETR.replaceAll("-", ""));
  });

  it("records that work failed without quoting it, and throws on", async () => {
    const failure = new TypeError("no such customer: Maria");
    const thrown: unknown = await tracer
      .span("wallet", {}, () => Promise.reject(failure))
      .catch((error: unknown) => error);
    expect(thrown).to.equal(failure);
    expect(exporter.getFinishedSpans()[0]?.status).to.deep.equal({ code: SpanStatusCode.ERROR, message: "TypeError" });
  });

  it("does the work and nothing else without an endpoint", async () => {
    expect(createTracer(undefined, "relay")).to.equal(noTracer);
    expect(await noTracer.span("opener", { batch: BATCH }, () => Promise.resolve(7))).to.equal(7);
    expect(noTracer.inject({ a: "b" })).to.deep.equal({ a: "b" });
  });
});
