import type { SteadyClock } from "../../kernel/clock/clock.ts";
import type { Opinion, RpcEndpoint } from "./rpc-endpoint.ts";
import type { Question } from "./rpc-question.ts";

/** Endpoints that agree on an answer. */
export interface Side {
  readonly digest: string;
  readonly endpoints: readonly RpcEndpoint[];
  readonly kind: "answer" | "reverted";
}

/** Asks endpoints one question, all that are asked at a time, and keeps what each said last. */
export class Canvass {
  readonly #question: Question;
  readonly #clock: SteadyClock;
  readonly #opinions = new Map<RpcEndpoint, Opinion>();
  readonly #pending = new Map<RpcEndpoint, Promise<void>>();

  constructor(question: Question, clock: SteadyClock) {
    this.#question = question;
    this.#clock = clock;
  }

  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  opinionOf(endpoint: RpcEndpoint): Opinion | undefined {
    return this.#opinions.get(endpoint);
  }

  isPending(endpoint: RpcEndpoint): boolean {
    return this.#pending.has(endpoint);
  }

  /** Takes an opinion that is known already. */
  know(endpoint: RpcEndpoint, opinion: Opinion): void {
    this.#opinions.set(endpoint, opinion);
  }

  /** Asks an endpoint, again where it has spoken before; one that has still to answer is not asked twice. */
  ask(endpoint: RpcEndpoint): void {
    if (this.#pending.has(endpoint)) return;
    const askedAtMs = this.#clock.nowMs();
    const asked = endpoint.opinionOn(this.#question).then((opinion) => {
      if (opinion.kind === "silent") endpoint.wasSilent();
      else if (opinion.kind === "answer") endpoint.hasSpoken(this.#clock.nowMs() - askedAtMs);
      this.#opinions.set(endpoint, opinion);
      this.#pending.delete(endpoint);
    });
    this.#pending.set(endpoint, asked);
  }

  /** Waits until all that were asked have answered, or enough have, but not longer than so many milliseconds. */
  async settle(mostMs: number, isEnough: () => boolean = () => false): Promise<void> {
    const waiting = new AbortController();
    const late = this.#clock.sleep(Math.max(0, mostMs), waiting.signal).then(
      () => "late" as const,
      // Ended early, with nobody to hear of it.
      () => "late" as const,
    );
    try {
      while (this.hasPending && !isEnough()) {
        if ((await Promise.race([late, ...this.#pending.values()])) === "late") return;
      }
    } finally {
      waiting.abort();
    }
  }

  /** Who says the same, the most first. What was told by one that is not used any more does not count. */
  sides(): readonly Side[] {
    const sides = new Map<string, { kind: Side["kind"]; endpoints: RpcEndpoint[] }>();
    for (const [endpoint, opinion] of this.#opinions) {
      if (!endpoint.isUsable || (opinion.kind !== "answer" && opinion.kind !== "reverted")) continue;
      const side = sides.get(opinion.digest) ?? { kind: opinion.kind, endpoints: [] };
      side.endpoints.push(endpoint);
      sides.set(opinion.digest, side);
    }
    return [...sides]
      .map(([digest, side]) => ({ digest, ...side }))
      .sort((left, right) => right.endpoints.length - left.endpoints.length);
  }

  /** Whether two have told the ledger's state differently. That a call is refused may be for a node's own limits. */
  isContradictory(): boolean {
    return this.sides().filter(({ kind }) => kind === "answer").length > 1;
  }

  /** Why each of those that say nothing to it does not, by name. */
  reasons(endpoints: readonly RpcEndpoint[]): readonly string[] {
    return endpoints.map((endpoint) => `${endpoint.name}: ${this.#reasonOf(endpoint)}`);
  }

  #reasonOf(endpoint: RpcEndpoint): string {
    const opinion = this.#opinions.get(endpoint);
    if (!endpoint.isUsable) return "contradicts most others";
    if (opinion === undefined) return "no answer yet";
    if (opinion.kind === "absent") return "does not have it";
    return opinion.kind === "answer" || opinion.kind === "reverted" ? "says so" : opinion.why;
  }
}
