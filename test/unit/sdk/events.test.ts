import type { ServerResponse } from "node:http";
import { expect } from "chai";
import type { EventJson } from "../../../src/schema/network.ts";
import { RelayProblem } from "../../../sdk/index.ts";
import { answering, startReceiver, type Manner, type Receiver } from "../../integration/support/receiver.ts";
import { until } from "../../support/until.ts";
import { clientOf, collect, failureOf, json, problem } from "./support.ts";

const EPOCH = "3f9c2a71b04e";
const idOf = (seq: number): string => (seq === 0 ? "0" : `evt_${EPOCH}_${seq}`);
const eventOf = (seq: number): EventJson => {
  return { id: idOf(seq), seq, type: "transfer.settled", at: "2026-11-22T08:30:00.000Z", data: {} };
};
const sse = (event: EventJson): string => `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

describe("Following events", function () {
  let relay: Receiver;
  /** What has happened at the relay. */
  let history: EventJson[];
  let streams: ServerResponse[];
  let stop: AbortController;

  beforeEach(async () => {
    relay = await startReceiver(serving);
    history = [1, 2, 3].map(eventOf);
    streams = [];
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await relay.close();
  });

  const afterOf = (path: string): number =>
    Number.parseInt(new URL(path, "http://relay").searchParams.get("after")?.split("_").at(-1) ?? "0", 10);

  const pages: Manner = (response, request) => {
    const events = history.filter(({ seq }) => seq > afterOf(request.path)).slice(0, 2);
    json(200, { events, next: idOf(events.at(-1)?.seq ?? afterOf(request.path)) })(response, request);
  };
  const stream: Manner = (response, { path }) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": welcome\n\n");
    for (const event of history.filter(({ seq }) => seq > afterOf(path))) response.write(sse(event));
    streams.push(response);
  };
  const serving: Manner = (response, request) => {
    if (request.path.startsWith("/v1/events/stream")) stream(response, request);
    else pages(response, request);
  };

  function happens(...seqs: readonly number[]): void {
    history.push(...seqs.map(eventOf));
    for (const response of streams) for (const seq of seqs) response.write(sse(eventOf(seq)));
  }

  /** The next so many, and what is done once each is there. */
  async function take(
    count: number,
    after = 0,
    onEvent: (seq: number) => void = () => undefined,
    silenceMs = 20_000,
  ): Promise<number[]> {
    const seqs: number[] = [];
    for await (const { seq } of clientOf(relay).events({ after: idOf(after), signal: stop.signal, silenceMs })) {
      seqs.push(seq);
      onEvent(seq);
      if (seqs.length === count) break;
    }
    return seqs;
  }

  it("gives what there is and what comes, in order, and closes the stream when it is left", async () => {
    const taken = await take(5, 1, (seq) => {
      if (seq === 3) happens(4, 5, 6);
    });
    expect(taken).to.deep.equal([2, 3, 4, 5, 6]);
    expect(relay.received.map(({ path }) => path)).to.deep.equal([`/v1/events/stream?after=${idOf(1)}`]);
    while (streams.some(({ destroyed }) => !destroyed)) await new Promise(setImmediate);
  });

  it("goes on after the last one when the stream breaks, with nothing left out or twice", async () => {
    const taken = await take(6, 0, (seq) => {
      if (seq === 3) {
        for (const response of streams.splice(0)) response.destroy();
        happens(4, 5);
      }
      if (seq === 5) setImmediate(() => happens(6));
    });
    expect(taken).to.deep.equal([1, 2, 3, 4, 5, 6]);
  });

  it("leaves out what a stream sends again", async () => {
    relay.manner = (response, request) => {
      if (!request.path.startsWith("/v1/events/stream")) pages(response, request);
      else {
        response.writeHead(200, { "content-type": "text/event-stream" });
        for (const event of [...history, ...history]) response.write(sse(event));
        setImmediate(() => response.end(sse(eventOf(4))));
      }
    };
    expect(await take(4)).to.deep.equal([1, 2, 3, 4]);
  });

  it("gives up a stream that has fallen silent", async () => {
    const taken = await take(
      4,
      0,
      (seq) => {
        // Happens, and the stream does not tell.
        if (seq === 3) history.push(eventOf(4));
      },
      100,
    );
    expect(taken).to.deep.equal([1, 2, 3, 4]);
  });

  for (const [what, manner] of [
    ["does not know streams", answering(404)],
    ["answers in the middle with something else", json(200, { hello: "world" })],
    ["is cut off", ((response) => void response.destroy()) as Manner],
    ["sends what is no event", ((response) => void response.end("data: {}\n\n")) as Manner],
  ] as const) {
    it(`reads pages when the way to the relay ${what}`, async () => {
      relay.manner = (response, request) => {
        if (request.path.startsWith("/v1/events/stream")) manner(response, request);
        else pages(response, request);
      };
      const taken = await take(5, 0, (seq) => {
        if (seq === 3) history.push(eventOf(4), eventOf(5));
      });
      expect(taken).to.deep.equal([1, 2, 3, 4, 5]);
    });
  }

  it("asks for the types that are wanted", async () => {
    const events = clientOf(relay).events({
      after: "0",
      types: ["transfer.settled", "credit.posted"],
      signal: stop.signal,
    });
    await events[Symbol.asyncIterator]().next();
    expect(relay.received[0]?.path).to.equal("/v1/events/stream?after=0&type=transfer.settled%2Ccredit.posted");
  });

  it("tells of a history that was lost, and goes on where the relay says, with numbers that are lower", async () => {
    // The relay was restored to what it was after event 1, and another 2 has happened since.
    const again = { ...eventOf(2), id: "evt_aaaaaaaaaaaa_2", data: { again: true } };
    relay.manner = (response, request) => {
      const after = new URL(request.path, "http://relay").searchParams.get("after");
      if (after === idOf(3)) problem(410, "cursor-lost", { goOn: idOf(1) })(response, request);
      else if (request.path.startsWith("/v1/events/stream")) answering(404)(response, request);
      else {
        json(200, after === idOf(1) ? { events: [again], next: again.id } : { events: [], next: again.id })(
          response,
          request,
        );
      }
    };
    const told: string[] = [];
    const onLost = (goOn: string) => void told.push(goOn);
    const events = clientOf(relay).events({ after: idOf(3), signal: stop.signal, onLost });
    const next = await events[Symbol.asyncIterator]().next();
    expect([told, next.value]).to.deep.equal([[idOf(1)], again]);

    const failure = await failureOf(collect(clientOf(relay).events({ after: idOf(3), signal: stop.signal })));
    expect(failure)
      .to.be.instanceOf(RelayProblem)
      .and.include({ code: "cursor-lost", goOn: idOf(1) });
  });

  it("ends when it is told to, and throws what no repetition fixes", async () => {
    void until(() => streams.length > 0).then(() => stop.abort());
    expect(await collect(clientOf(relay).events({ after: idOf(3), signal: stop.signal }))).to.deep.equal([]);
    relay.manner = problem(403, "forbidden");
    const failure = await failureOf(collect(clientOf(relay).events({ after: "0" })));
    expect(failure).to.be.instanceOf(RelayProblem).with.property("code", "forbidden");
  });
});
