import type { PartnerId } from "../domain/partner.ts";

/** A message that a feature answers: what other relays send to a path, encrypted to this relay. */
export interface PeerMessage {
  readonly path: string;
  /** Bytes that its body may have at most. */
  readonly bodyLimit: number;
  /**
   * @param sender whose signature it has
   * @param jwe the body, which is what was signed
   * @returns the answer, encrypted; undefined where it is that the message was taken
   * @throws Refused for what is to be told the sender; InvalidInput for what cannot be read
   */
  readonly answer: (sender: PartnerId, jwe: Uint8Array) => Promise<string | undefined>;
  /** Counts a message that was refused. */
  readonly count?: (problem: string) => void;
  readonly close?: () => Promise<void>;
}
