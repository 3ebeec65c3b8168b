import {
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Tracer as ApiTracer,
} from "@opentelemetry/api";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider, type SpanProcessor } from "@opentelemetry/sdk-trace";

/**
 * What a span is about. `batch` (32 bytes as hexadecimal text) or `uetr` puts a span that has no parent into the trace
 * of that batch or transfer: rows drive the relay, and nothing but their ids gets from one step to the next.
 */
export interface SpanAttributes {
  readonly batch?: string;
  readonly uetr?: string;
  readonly [name: string]: string | number | boolean | undefined;
}

/** Headers of a request, read or to be sent. */
export type TraceHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Spans for what a relay does. Without an endpoint to send them to, work is simply done. */
export interface Tracer {
  /** Does the work within a span; what it throws is recorded and thrown on. */
  span<Result>(name: string, attributes: SpanAttributes, work: () => Promise<Result>): Promise<Result>;
  /** The headers, with W3C's `traceparent` of the span that is under way, if there is one. */
  inject(headers: Readonly<Record<string, string>>): Record<string, string>;
  /** Does the work as part of the trace that a request's headers name. */
  extract<Result>(headers: TraceHeaders, work: () => Promise<Result>): Promise<Result>;
  /** Sends what has not been sent yet. */
  close(): Promise<void>;
}

export const noTracer: Tracer = {
  span: (_name, _attributes, work) => work(),
  inject: (headers) => ({ ...headers }),
  extract: (_headers, work) => work(),
  close: () => Promise.resolve(),
};

/**
 * @param endpoint where OTLP over HTTP is taken, as `http://collector:4318`; without one nothing is traced
 * @param service the name of the service and the partner, as the collector is to know it
 */
export function createTracer(endpoint: string | undefined, service: string): Tracer {
  if (endpoint === undefined) return noTracer;
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, "")}/v1/traces` });
  return tracerTo(new BatchSpanProcessor({ exporter }), service);
}

/** A tracer whose spans go to the processor. Nothing is registered globally: several relays may share a process. */
export function tracerTo(processor: SpanProcessor, service: string): Tracer {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": service }),
    spanProcessors: [processor],
  });
  const spans: ApiTracer = provider.getTracer("feiqian");
  const contexts = new AsyncLocalStorageContextManager().enable();
  const propagator = new W3CTraceContextPropagator();

  return {
    async span(name, attributes, work) {
      const parent = parentOf(contexts.active(), attributes);
      const span = spans.startSpan(name, { kind: SpanKind.INTERNAL, attributes }, parent);
      try {
        return await contexts.with(trace.setSpan(parent, span), work);
      } catch (error) {
        // The message may quote what a customer sent: the error's kind says enough for a trace.
        span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : "unknown" });
        throw error;
      } finally {
        span.end();
      }
    },
    inject(headers) {
      const carrier = { ...headers };
      propagator.inject(contexts.active(), carrier, {
        set: (target, key, value) => {
          // The carrier is the object just made.
          (target as Record<string, string>)[key] = value;
        },
      });
      return carrier;
    },
    extract(headers, work) {
      const found = propagator.extract(ROOT_CONTEXT, headers, {
        keys: () => Object.keys(headers),
        get: (_carrier, key) => {
          const value = headers[key];
          return typeof value === "string" ? value : value?.[0];
        },
      });
      return contexts.with(found, work);
    },
    async close() {
      await provider.shutdown();
      contexts.disable();
    },
  };
}

const TRACE_ID_DIGITS = 32;
const SPAN_ID_DIGITS = 16;

/** The context to start a span in: the one under way, or that of the batch or transfer that the span is about. */
function parentOf(active: Context, { batch, uetr }: SpanAttributes): Context {
  if (trace.getSpanContext(active) !== undefined) return active;
  const id = batch?.replace(/^0x/, "") ?? uetr?.replaceAll("-", "") ?? "";
  if (id.length < TRACE_ID_DIGITS) return active;
  // The same on every relay and in every step, as both follow from the id alone.
  const spanContext = {
    traceId: id.slice(0, TRACE_ID_DIGITS),
    spanId: id.slice(-SPAN_ID_DIGITS),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  };
  return trace.setSpanContext(active, spanContext);
}
