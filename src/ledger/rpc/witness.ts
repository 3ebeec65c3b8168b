import type { SteadyClock } from "../../kernel/clock/clock.ts";
import { Canvass, type Side } from "./canvass.ts";
import { commonHead, headsOf } from "./heads.ts";
import { PATIENCE_MS, type Opinion, type RpcEndpoint } from "./rpc-endpoint.ts";
import { LedgerDisputed, LedgerUnconfirmed, LedgerUnreachable } from "./rpc-errors.ts";
import type { Question, RpcResponse } from "./rpc-question.ts";

/**
 * How a contradiction ended: those in the minority were dropped; they took it back when asked again; the block was not
 * final, so that nobody need have lied; or there was no majority, and nobody was believed.
 */
export type DisputeOutcome = "dropped" | "retracted" | "not-final" | "unresolved";

export interface Dispute {
  /** What it was about, for people. */
  readonly about: string;
  /** Names of endpoints that say the same. */
  readonly sides: readonly (readonly string[])[];
  readonly outcome: DisputeOutcome;
}

export interface WitnessOptions {
  readonly clock: SteadyClock;
  readonly timeoutMs: number;
  /** How many other endpoints have to say the same before an answer is believed. */
  readonly witnesses: number;
  /** Blocks on top of one before it is final. */
  readonly confirmations: number;
  readonly onDrop: (endpoint: RpcEndpoint, why: string) => void;
  /** Of an endpoint that should not be the first one to be asked, for now. */
  readonly onFailure: (endpoint: RpcEndpoint, why: string) => void;
  readonly onDispute: (dispute: Dispute) => void;
}

export interface Believed {
  readonly response: RpcResponse;
  /** Undefined where the endpoint's answer states nothing: an error, or that there is no such block. */
  readonly digest: string | undefined;
  readonly supporters: number;
}

const FIRST_POLL_MS = 25;
const MAX_POLL_MS = 400;
/** How often all are asked before it is settled that there is no majority. */
const ROUNDS = 3;
const ROUND_PAUSE_MS = 250;
/**
 * After which pauses one that contradicts most others is asked again before it is called a liar: a slow node may have a
 * block some time before it has all that is in it.
 */
const TRIAL_PAUSES_MS = [250, 750, 1_500, 2_500];
/** So many questions apart, others are asked than those that have done best. */
const TURN = 3;
/** Answers that were agreed upon, and need not be confirmed again. */
const MAX_AGREED = 512;

/** A block that an endpoint alone has told of. */
interface Claim {
  readonly question: Question;
  readonly block: bigint;
  readonly digest: string;
}

/**
 * Holds an endpoint's answers against those of others. While no more than `witnesses` endpoints lie, no lie about a
 * block is believed; while, beyond that, more than half of those that answer are honest, who lies is dropped.
 */
export class Witnesses {
  readonly #endpoints: readonly RpcEndpoint[];
  readonly #options: WitnessOptions;
  /** Digests by question, the oldest first. */
  readonly #agreed = new Map<string, string>();
  /** How often each method's answers had to be confirmed. */
  readonly #asked = new Map<string, number>();
  readonly #claims = new Map<RpcEndpoint, Claim>();
  readonly #closing = new AbortController();

  constructor(endpoints: readonly RpcEndpoint[], options: WitnessOptions) {
    this.#endpoints = endpoints;
    this.#options = options;
  }

  /**
   * An answer that is confirmed, or that needs no confirmation as it states nothing.
   * @param first whose answer is wanted
   * @param known what it has said already
   * @throws LedgerDisputed, LedgerUnconfirmed, LedgerUnreachable
   */
  async confirm(question: Question, first: RpcEndpoint, known?: Opinion): Promise<Believed> {
    const agreed = this.#agreed.get(question.key);
    const opinion = known ?? (agreed === undefined ? undefined : await first.opinionOn(question));
    if (opinion?.kind === "answer" && opinion.digest === agreed) {
      return { response: opinion.response, digest: agreed, supporters: this.#options.witnesses + 1 };
    }
    const canvass = new Canvass(question, this.#options.clock);
    if (opinion === undefined) canvass.ask(first);
    else canvass.know(first, opinion);
    for (const endpoint of this.#chosen(question, first)) canvass.ask(endpoint);
    return this.#hear(question, first, canvass);
  }

  /** Lets nothing go on in the background. */
  close(): void {
    this.#closing.abort();
  }

  #panel(): readonly RpcEndpoint[] {
    return this.#endpoints.filter(({ isUsable }) => isUsable);
  }

  /** Who is asked beside the first one: those that had something to say last time, and the quickest among them. */
  #chosen({ call: { method } }: Question, first: RpcEndpoint): readonly RpcEndpoint[] {
    const { witnesses } = this.#options;
    const others = this.#panel().filter((endpoint) => endpoint !== first);
    const ranked = [...others].sort((a, b) => a.silences - b.silences || a.averageMs - b.averageMs);
    // Every so often another one has its turn: an endpoint that lies, or answers again, has to be noticed before it is needed.
    const rested = ranked.filter(({ isResting }) => !isResting);
    const asked = this.#asked.get(method) ?? 0;
    this.#asked.set(method, asked + 1);
    const turn = asked % TURN === 0 ? rested[Math.floor(asked / TURN) % rested.length] : undefined;
    if (turn !== undefined) ranked.unshift(...ranked.splice(ranked.indexOf(turn), 1));
    // One that is asked for nothing but a contradiction must not hold up everything while it is away.
    return witnesses === 0 ? ranked.filter(({ isResting }) => !isResting).slice(0, 1) : ranked.slice(0, witnesses);
  }

  async #hear(question: Question, first: RpcEndpoint, canvass: Canvass): Promise<Believed> {
    const { clock, timeoutMs } = this.#options;
    const patienceMs = Math.min(PATIENCE_MS, timeoutMs);
    const startedMs = clock.nowMs();
    const leftMs = (): number => startedMs + timeoutMs - clock.nowMs();
    const isPatient = (): boolean => clock.nowMs() < startedMs + patienceMs;
    const isDecided = (): boolean =>
      canvass.isContradictory() || this.#believable(canvass, first, isPatient()) !== undefined;

    await canvass.settle(patienceMs);
    for (const each of this.#panel()) if (each !== first && canvass.isPending(each)) each.wasSilent();
    let isAskingAll = false;
    for (let pauseMs = FIRST_POLL_MS; ;) {
      if (canvass.isContradictory()) return this.#judge(question, first, canvass);
      const side = this.#believable(canvass, first, isPatient());
      if (side !== undefined) return this.#believe(question, first, canvass, side);
      if (isAskingAll && this.#isHopeless(question, first, canvass, leftMs())) {
        return this.#giveUp(question, first, canvass);
      }
      if (isAskingAll) {
        await clock.sleep(Math.min(pauseMs, Math.max(0, leftMs())));
        pauseMs = Math.min(MAX_POLL_MS, 2 * pauseMs);
        for (const each of this.#panel()) if (canvass.opinionOf(each)?.kind === "absent") canvass.ask(each);
      }
      isAskingAll = true;
      for (const each of this.#panel()) if (canvass.opinionOf(each) === undefined) canvass.ask(each);
      await canvass.settle(Math.min(patienceMs, leftMs()), isDecided);
    }
  }

  /** The answer that enough endpoints give; of those asked nobody contradicts it. */
  #believable(canvass: Canvass, first: RpcEndpoint, isPatient: boolean): Side | undefined {
    const { witnesses } = this.#options;
    const [side, next] = canvass.sides();
    if (side === undefined || side.endpoints.length === next?.endpoints.length) return undefined;
    const isFirsts = side.endpoints.includes(first) || canvass.opinionOf(first)?.kind === "silent";
    // One endpoint alone does not overrule another that is there, but does not have the block.
    if (side.endpoints.length < Math.max(witnesses + 1, isFirsts ? 1 : 2)) return undefined;
    if (witnesses > 0) return side;
    return isPatient && this.#late(canvass, first).length > 0 ? undefined : side;
  }

  #late(canvass: Canvass, first: RpcEndpoint): readonly RpcEndpoint[] {
    const others = this.#panel().filter((each) => each !== first);
    return others.filter((each) => canvass.isPending(each) || canvass.opinionOf(each)?.kind === "absent");
  }

  /** Whether nothing can be waited for any more. */
  #isHopeless(question: Question, first: RpcEndpoint, canvass: Canvass, leftMs: number): boolean {
    if (leftMs <= 0) return true;
    if (canvass.hasPending) return false;
    if (this.#statesNothing(question, first, canvass)) return true;
    return this.#panel().every((each) => canvass.opinionOf(each)?.kind !== "absent");
  }

  /** An error, or that there is no such block (yet): whoever asks can be told so without harm. */
  #statesNothing(question: Question, first: RpcEndpoint, canvass: Canvass): boolean {
    const opinion = canvass.opinionOf(first);
    if (opinion?.kind === "error") return true;
    if (opinion?.kind !== "absent") return false;
    return question.mayBeNull || ("error" in opinion.response && canvass.sides().length === 0);
  }

  #giveUp(question: Question, first: RpcEndpoint, canvass: Canvass): Believed {
    const panel = this.#panel();
    const opinion = canvass.opinionOf(first);
    if (opinion !== undefined && "response" in opinion && this.#statesNothing(question, first, canvass)) {
      return { response: opinion.response, digest: undefined, supporters: 0 };
    }
    const spoken = panel.filter((each) => (canvass.opinionOf(each)?.kind ?? "silent") !== "silent");
    this.#countSilent(first, canvass);
    if (spoken.length === 0) throw new LedgerUnreachable(canvass.reasons(panel));
    if (opinion?.kind === "unreadable") this.#options.onFailure(first, opinion.why);
    if (opinion?.kind === "answer") this.#standsAlone(question, first, opinion.digest, spoken.length > 1);
    throw new LedgerUnconfirmed(question.about, canvass.reasons(panel));
  }

  /** Nobody else has what the first one tells of: others are asked first from now on, and it is held to its word. */
  #standsAlone(question: Question, first: RpcEndpoint, digest: string, areOthersThere: boolean): void {
    if (areOthersThere) this.#options.onFailure(first, `tells ${question.about} as no other endpoint does`);
    if (question.anchor === undefined && question.block !== undefined) {
      this.#claims.set(first, { question, block: question.block, digest });
    }
  }

  #believe(question: Question, first: RpcEndpoint, canvass: Canvass, side: Side): Believed {
    const opinion = canvass.opinionOf(first);
    this.#countSilent(first, canvass);
    if (this.#options.witnesses === 0) for (const each of this.#late(canvass, first)) each.wasSilent();
    if (opinion?.kind === "error" || opinion?.kind === "unreadable") {
      this.#options.onFailure(first, `${opinion.why}, where others answer`);
    }
    const speaker = side.endpoints.includes(first) ? first : side.endpoints[0];
    const spoken = speaker === undefined ? undefined : canvass.opinionOf(speaker);
    if (spoken === undefined || !("response" in spoken)) throw new RangeError("nobody is on this side");
    const supporters = side.endpoints.length;
    if (supporters > 1 && side.kind === "answer") this.#agree(question, side.digest);
    return { response: spoken.response, digest: side.digest, supporters };
  }

  #countSilent(first: RpcEndpoint, canvass: Canvass): void {
    for (const each of this.#panel()) {
      const opinion = canvass.opinionOf(each);
      if (opinion?.kind !== "silent") continue;
      if (each === first) this.#options.onFailure(each, opinion.why);
      else each.failed(opinion.why);
    }
  }

  #agree({ key, block }: Question, digest: string): void {
    this.#agreed.delete(key);
    this.#agreed.set(key, digest);
    const [oldest] = this.#agreed.keys();
    if (this.#agreed.size > MAX_AGREED && oldest !== undefined) this.#agreed.delete(oldest);
    if (block !== undefined) this.#checkClaims(block);
  }

  /** Asks all endpoints; believes most of them, and has those on trial that contradict them. */
  async #judge(question: Question, first: RpcEndpoint, before: Canvass): Promise<Believed> {
    const { clock, onDispute, onFailure } = this.#options;
    let canvass = await this.#askEverybody(question);
    for (let round = 1; round < ROUNDS && this.#isUndecided(canvass); round++) {
      await clock.sleep(ROUND_PAUSE_MS);
      canvass = await this.#askEverybody(question);
    }
    const winner = this.#majority(canvass);
    const { about } = question;
    const sides = (canvass.isContradictory() ? canvass : before)
      .sides()
      .map(({ endpoints }) => endpoints.map(({ name }) => name));
    if (winner === undefined) {
      // Two that invent a block, each another one, hold up nothing: the next read asks somebody else first.
      if (before.opinionOf(first)?.kind === "answer") onFailure(first, `tells ${about} as no majority does`);
      if (!canvass.isContradictory()) throw new LedgerUnconfirmed(about, canvass.reasons(this.#panel()));
      onDispute({ about, sides, outcome: "unresolved" });
      throw new LedgerDisputed(about, sides);
    }
    const accused = minorityOf(canvass, winner);
    const recanting = minorityOf(before, winner).filter((each) => !accused.includes(each));
    for (const each of recanting) onFailure(each, `took back what it had told of ${about}`);
    const believed = this.#believe(question, first, canvass, winner);
    const end = (outcome: DisputeOutcome): void => onDispute({ about, sides, outcome });
    if (accused.length === 0) end("retracted");
    else if (await this.#isFinal(question)) void this.#try(question, winner.digest, accused).then(end, ignore);
    else end("not-final");
    return believed;
  }

  #isUndecided(canvass: Canvass): boolean {
    return canvass.isContradictory() && this.#majority(canvass) === undefined;
  }

  /** Drops those of the accused that keep to what they say. They are not used meanwhile. */
  async #try(question: Question, digest: string, accused: readonly RpcEndpoint[]): Promise<DisputeOutcome> {
    const { clock, onFailure } = this.#options;
    const left = new Map(accused.map((each) => [each, true]));
    for (const each of accused) {
      each.suspect();
      onFailure(each, `tells ${question.about} otherwise than most endpoints do`);
    }
    try {
      for (const pauseMs of TRIAL_PAUSES_MS) {
        await clock.sleep(pauseMs, this.#closing.signal);
        await Promise.all(
          [...left.keys()].map(async (each) => {
            const opinion = await each.opinionOn(question);
            if (opinion.kind === "answer" && opinion.digest === digest) left.delete(each);
            else left.set(each, opinion.kind === "answer");
          }),
        );
        if (left.size === 0) return "retracted";
      }
      if (this.#majority(await this.#askEverybody(question))?.digest !== digest) return "unresolved";
      const liars = [...left].flatMap(([each, keepsToIt]) => (keepsToIt ? [each] : []));
      for (const each of liars) this.#drop(each, `told ${question.about} otherwise than most endpoints do`);
      return liars.length > 0 ? "dropped" : "retracted";
    } finally {
      for (const each of accused) each.acquit();
    }
  }

  async #askEverybody(question: Question): Promise<Canvass> {
    const { clock, timeoutMs } = this.#options;
    const canvass = new Canvass(question, clock);
    for (const endpoint of this.#panel()) canvass.ask(endpoint);
    await canvass.settle(Math.min(PATIENCE_MS, timeoutMs));
    // One that takes its time does not keep the others from being believed.
    await canvass.settle(timeoutMs, () => this.#majority(canvass) !== undefined);
    return canvass;
  }

  #majority(canvass: Canvass): Side | undefined {
    const answers = canvass.sides().filter(({ kind }) => kind === "answer");
    const count = answers.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
    const least = Math.max(2, this.#options.witnesses + 1);
    return answers.find(({ endpoints }) => endpoints.length >= least && 2 * endpoints.length > count);
  }

  /** On a ledger whose newest blocks may still be replaced, honest nodes may have different ones. */
  async #isFinal({ block }: Question): Promise<boolean> {
    const { confirmations } = this.#options;
    if (confirmations === 0) return true;
    const head = commonHead((await headsOf(this.#panel())).values());
    return block !== undefined && head !== undefined && block + BigInt(confirmations) <= head;
  }

  #drop(endpoint: RpcEndpoint, why: string): void {
    if (endpoint.isDropped) return;
    this.#claims.delete(endpoint);
    endpoint.drop(why);
    this.#options.onDrop(endpoint, why);
  }

  /** What was a block's number ahead of all others has come to be a block, by what the others say. */
  #checkClaims(block: bigint): void {
    if (this.#options.confirmations > 0) return;
    for (const [endpoint, claim] of this.#claims) {
      if (claim.block > block) continue;
      this.#claims.delete(endpoint);
      // Another claim will be looked at again where this one cannot be.
      this.#checkClaim(endpoint, claim).catch(ignore);
    }
  }

  async #checkClaim(endpoint: RpcEndpoint, { question, digest }: Claim): Promise<void> {
    const first = this.#panel().find((each) => each !== endpoint);
    if (first === undefined) return;
    const believed = await this.confirm(question, first);
    if (believed.digest === undefined || believed.digest === digest || believed.supporters < 2) return;
    this.#drop(endpoint, `told of another ${question.about} than there came to be`);
  }
}

/** Who tells the ledger's state otherwise. */
function minorityOf(canvass: Canvass, { digest }: Side): readonly RpcEndpoint[] {
  const others = canvass.sides().filter((side) => side.kind === "answer" && side.digest !== digest);
  return others.flatMap(({ endpoints }) => endpoints);
}

/** Of what goes on in the background: it is done again when there is reason to. */
const ignore = (): void => undefined;
