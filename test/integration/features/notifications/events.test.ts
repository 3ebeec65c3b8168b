import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { EventJson, EventsResponse } from "../../../../src/schema/network.ts";
import { parseUetr } from "../../../../src/domain/uetr.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { appendEvents, type EventType } from "../../../../src/kernel/store/events.ts";
import { until } from "../../../support/until.ts";
import { describeOn } from "../../support/databases.ts";
import { apiRelay, newUetr, type ApiRelay } from "../../support/api.ts";

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

  const append = (...types: EventType[]) =>
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
    /** "whole" where the relay has ended it, and "broken" where the connection has. */
    readonly ended: Promise<"whole" | "broken">;
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
      return "whole" as const;
    };
    return { ...opened, ended: reading().catch(() => "broken" as const), abort: () => controller.abort() };
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
    const ids = opened.events.map(({ id }) => Number.parseInt(id?.split("_").at(-1) ?? "", 10));
    expect(ids).to.deep.equal([...ids].sort((left, right) => left - right));
    expect(new Set(ids).size).to.equal(120);
  });

  /** The database as it was after so many events, started anew. */
  async function restoreTo(events: number): Promise<void> {
    await db.query("DELETE FROM events WHERE seq > $1", [events]);
    await db.query("DELETE FROM feed_epochs WHERE after_seq >= $1", [events]);
    await db.query("UPDATE feed_epochs SET place = 'another run'");
  }

  it("tells a reader whose events a restore has taken away where to go on, and gives their ids to no others", async () => {
    await append(...Array.from({ length: 10 }, () => "transfer.held" as const));
    const before = await page("");
    const idOf = (seq: number) => before.events[seq - 1]?.id ?? "";
    await restoreTo(6);
    const ask = async (query: string) =>
      (await relay.app.inject({ url: `/v1/events?${query}`, headers })).json<object>();
    const lost = { code: "cursor-lost", status: 410, goOn: idOf(6), field: "after" };
    expect(await ask(`after=${idOf(10)}`), "ahead of the head").to.include(lost);
    await append(...Array.from({ length: 6 }, () => "transfer.settled" as const));
    expect(await ask(`after=${idOf(10)}`), "passed by the head").to.include(lost);
    const { events, next } = await page(`after=${idOf(6)}`);
    expect(events.map(({ seq }) => seq)).to.deep.equal([7, 8, 9, 10, 11, 12]);
    expect(before.events.map(({ id }) => id)).not.to.include.members([events[0]?.id]);
    expect((await page("")).events.slice(0, 6)).to.deep.equal(before.events.slice(0, 6));
    expect(await page(`after=${next}`)).to.deep.equal({ events: [], next });
    expect(await page(`after=${idOf(3)}`), "all up to it is as it was")
      .to.have.property("events")
      .with.length(9);
    for (const foreign of ["evt_0123456789ab_3", "evt_4", "4"]) {
      expect(await ask(`after=${foreign}`), foreign).to.include({ ...lost, goOn: "0" });
    }
    const resumed = await relay.app.inject({
      url: "/v1/events/stream",
      headers: { ...headers, "last-event-id": idOf(9) },
    });
    expect(resumed.json()).to.include({ ...lost, field: "Last-Event-ID" });
  });

  it("ends the stream of a reader behind whom the database was restored", async () => {
    await append("transfer.held", "transfer.settled", "transfer.credited");
    const opened = await stream("?after=0");
    await until(() => opened.events.length === 3);
    await restoreTo(1);
    await append("transfer.held", "transfer.settled", "transfer.credited");
    relay.context.wake("notifier");
    await opened.ended;
    const [first, , , last] = opened.events;
    expect([last?.event, opened.events.length]).to.deep.equal(["problem", 4]);
    expect(JSON.parse(last?.data ?? "")).to.include({ code: "cursor-lost", goOn: first?.id });
  });

  it("goes on with cursors from before events had ids", async () => {
    await append("transfer.held", "transfer.settled");
    await db.query("DELETE FROM feed_epochs");
    await append("transfer.credited");
    const ids = (await page("")).events.map(({ id }) => id);
    expect(ids.slice(0, 2)).to.deep.equal(["evt_1", "evt_2"]);
    expect(ids[2]).to.match(/^evt_[0-9a-f]{12}_3$/);
    for (const cursor of ["1", "evt_1"]) {
      expect((await page(`after=${cursor}`)).events.map(({ id }) => id)).to.deep.equal(ids.slice(1));
    }
    const beyond = await relay.app.inject({ url: "/v1/events?after=3", headers });
    expect(beyond.json()).to.include({ code: "cursor-lost", goOn: "evt_2" });
  });

  it("refuses a place that is none", async () => {
    const answer = await relay.app.inject({ url: "/v1/events/stream", headers: { ...headers, "last-event-id": "x" } });
    expect(answer.json()).to.include({ code: "invalid-request", field: "Last-Event-ID" });
  });

  it("ends its streams when the relay is stopping", async () => {
    const opened = await stream();
    await relay.close();
    // Not left open until connections that are still there are cut.
    expect(await opened.ended).to.equal("whole");
  });
});
