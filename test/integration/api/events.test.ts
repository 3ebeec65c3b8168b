import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { EventJson, EventsResponse } from "../../../src/contract/network.ts";
import { parseUetr } from "../../../src/domain/uetr.ts";
import type { Database } from "../../../src/store/database.ts";
import { appendEvents } from "../../../src/store/events.ts";
import { describeOn } from "../support/databases.ts";
import { pause, apiRelay, newUetr, until, type ApiRelay } from "./support.ts";

describeOn("PGlite", "events", (open) => {
  let db: Database;
  let relay: ApiRelay;
  let headers: { authorization: string };
  let url: string;
  const stop = new Set<AbortController>();

  beforeEach(async () => {
    db = await open();
    relay = await apiRelay(db);
    headers = await relay.key(["read"]);
    await relay.app.listen({ host: "127.0.0.1", port: 0 });
    // Listening on TCP, so the address is not a path.
    url = `http://127.0.0.1:${(relay.app.server.address() as AddressInfo).port}/v1/events`;
  });
  afterEach(async () => {
    for (const controller of stop) controller.abort();
    await relay.close();
  });

  const append = (...types: string[]) =>
    db.transaction((tx) =>
      appendEvents(
        tx,
        types.map((type, index) => ({ type, uetr: parseUetr(newUetr()), at: 1_000 + index, data: { index } })),
      ),
    );

  async function page(query: string): Promise<EventsResponse> {
    return (await relay.app.inject({ url: `/v1/events?${query}`, headers })).json<EventsResponse>();
  }

  interface Opened {
    readonly events: EventSourceMessage[];
    readonly comments: string[];
    readonly ended: Promise<void>;
    abort(): void;
  }

  async function stream(query = "", more: Record<string, string> = {}): Promise<Opened> {
    const controller = new AbortController();
    stop.add(controller);
    const answer = await fetch(`${url}/stream${query}`, {
      headers: { ...headers, ...more },
      signal: controller.signal,
    });
    expect(answer.status).to.equal(200);
    expect(answer.headers.get("content-type")).to.match(/^text\/event-stream/);
    const opened = { events: [] as EventSourceMessage[], comments: [] as string[] };
    const parser = createParser({
      onEvent: (event) => opened.events.push(event),
      onComment: (comment) => opened.comments.push(comment),
    });
    const decoder = new TextDecoder();
    const reading = async () => {
      for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
        parser.feed(decoder.decode(chunk, { stream: true }));
      }
    };
    return { ...opened, ended: reading().catch(() => undefined), abort: () => controller.abort() };
  }

  it("gives pages in order, by type, that continue where the last one ended", async () => {
    await append("transfer.held", "transfer.settled", "credit.posted", "transfer.settled", "transfer.credited");
    const first = await page("limit=2");
    expect(first.events.map(({ type }) => type)).to.deep.equal(["transfer.held", "transfer.settled"]);
    const rest = await page(`after=${first.next}`);
    expect(rest.events.map(({ type }) => type)).to.deep.equal([
      "credit.posted",
      "transfer.settled",
      "transfer.credited",
    ]);
    expect(await page(`after=${rest.next}`)).to.deep.equal({ events: [], next: rest.next });
    const settled = await page("type=transfer.settled,credit.posted");
    expect(settled.events).to.have.length(3);
    expect(first.events[0]).to.deep.include({ at: "1970-01-01T00:00:01.000Z", data: { index: 0 } });
  });

  it("streams what is there, then what comes, and resumes after the last id", async () => {
    await append("transfer.held", "transfer.settled");
    const opened = await stream("?after=0");
    await until(() => opened.events.length === 2);
    await append("transfer.credited");
    await until(() => opened.events.length === 3);
    opened.abort();
    await opened.ended;
    await append("transfer.rejected");
    const [, second] = opened.events;
    const resumed = await stream("?after=0", { "last-event-id": second?.id ?? "" });
    await until(() => resumed.events.length === 2);
    expect(resumed.events.map(({ event }) => event)).to.deep.equal(["transfer.credited", "transfer.rejected"]);
    const { events } = await page("after=0");
    expect(resumed.events.map(({ data }) => JSON.parse(data) as EventJson)).to.deep.equal(events.slice(2));
  });

  it("begins with what is to come where no place is told, and is woken at once", async () => {
    await append("transfer.held");
    const opened = await stream();
    await until(async () => (await relay.app.inject({ url: "/livez" })).statusCode === 200);
    await pause(100);
    await append("transfer.settled");
    relay.context.wake("notifier");
    await until(() => opened.events.length === 1);
    expect(opened.events[0]?.event).to.equal("transfer.settled");
  });

  it("gives only the types asked for", async () => {
    const opened = await stream("?after=0&type=transfer.credited");
    await append("transfer.held", "transfer.settled");
    await append("transfer.credited", "transfer.held");
    await until(() => opened.events.length === 1);
    await append("transfer.credited");
    await until(() => opened.events.length === 2);
    expect(new Set(opened.events.map(({ event }) => event))).to.deep.equal(new Set(["transfer.credited"]));
  });

  it("misses none and repeats none while many are written at once", async () => {
    const opened = await stream("?after=0");
    await Promise.all(Array.from({ length: 40 }, () => append("transfer.held", "transfer.settled", "credit.posted")));
    await until(() => opened.events.length >= 120);
    const ids = opened.events.map(({ id }) => Number.parseInt(id ?? "", 10));
    expect(ids).to.deep.equal([...ids].sort((left, right) => left - right));
    expect(new Set(ids).size).to.equal(120);
  });

  it("refuses a place that is none", async () => {
    const answer = await relay.app.inject({ url: "/v1/events/stream", headers: { ...headers, "last-event-id": "x" } });
    expect(answer.json()).to.include({ code: "invalid-request", field: "Last-Event-ID" });
  });

  it("ends its streams when the relay is stopping", async () => {
    const opened = await stream();
    const started = Date.now();
    await relay.close();
    await opened.ended;
    expect(Date.now() - started).to.be.below(3_000);
  });
});
