import { keccak_256 } from "@noble/hashes/sha3.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import { HASHING_WASM } from "./hashing-wasm.ts";

// The project's only door to a hash implementation: WebAssembly, fifteen times as fast as JavaScript for the short
// messages that are hashed here. What it is made from is in assembly/hashing.ts.

// Of every JavaScript that this runs in; Node's types leave it to the browser's.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};

interface Hashing {
  readonly memory: { readonly buffer: ArrayBuffer };
  start(): number;
  keccak(message: number, length: number, out: number): void;
  details(salt: number, texts: number, debtor: number, creditor: number, remittance: number, out: number): void;
  leaf(encoded: number, out: number): void;
  tree(leaves: number, count: number, keys: number, positions: number, nodes: number): number;
}

const HASH_BYTES = 32;
/** Messages that are longer are hashed in JavaScript. */
const MOST_BYTES = 2 ** 16;
/** Trees of more leaves are built in JavaScript. */
const MOST_LEAVES = 16_384;

// The module exports what the interface says; a test calls all of it.
const wasm = new WebAssembly.Instance(new WebAssembly.Module(hexToBytes(HASHING_WASM))).exports as unknown as Hashing;
/** Of a fixed size, which all of what follows fits into. */
const memory = new Uint8Array(wasm.memory.buffer);
const OUT = wasm.start();
const SALT = OUT + HASH_BYTES;
const INPUT = SALT + HASH_BYTES;
const KEYS = INPUT + MOST_LEAVES * HASH_BYTES;
const POSITIONS = KEYS + MOST_LEAVES * HASH_BYTES;
const NODES = POSITIONS + MOST_LEAVES * 4;
const encoder = new TextEncoder();

/** Keccak-256 as Ethereum uses it (not FIPS 202 SHA3-256). */
export function keccak256(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MOST_BYTES) return keccak_256(bytes);
  memory.set(bytes, INPUT);
  wasm.keccak(INPUT, bytes.length, OUT);
  return hashAt(OUT);
}

/**
 * The details hash of groups that are canonical JSON.
 * @param salt 32 bytes
 * @returns undefined where they are too long for it
 */
export function hashGroups(
  salt: Uint8Array,
  debtor: string,
  creditor: string,
  remittance: string,
): Uint8Array | undefined {
  // Three bytes a unit of UTF-16 at the most.
  if (3 * (debtor.length + creditor.length + remittance.length) > MOST_BYTES) return undefined;
  memory.set(salt, SALT);
  const one = writeText(debtor, INPUT);
  const two = writeText(creditor, INPUT + one);
  const three = writeText(remittance, INPUT + one + two);
  wasm.details(SALT, INPUT, one, two, three, OUT);
  return hashAt(OUT);
}

/** keccak256 of keccak256. @param encoded a leaf's 128 bytes */
export function hashLeaf(encoded: Uint8Array): Uint8Array {
  memory.set(encoded, INPUT);
  wasm.leaf(INPUT, OUT);
  return hashAt(OUT);
}

/** The nodes of the tree above leaves, and where in it each of them is; undefined for too many, or two that are the same. */
export function hashTree(
  leaves: readonly Uint8Array[],
): { readonly nodes: Uint8Array; readonly positions: Uint32Array } | undefined {
  const count = leaves.length;
  if (count > MOST_LEAVES) return undefined;
  for (const [index, leaf] of leaves.entries()) memory.set(leaf, INPUT + index * HASH_BYTES);
  if (wasm.tree(INPUT, count, KEYS, POSITIONS, NODES) === 0) return undefined;
  return {
    nodes: memory.slice(NODES, NODES + (2 * count - 1) * HASH_BYTES),
    positions: new Uint32Array(memory.slice(POSITIONS, POSITIONS + count * 4).buffer),
  };
}

function writeText(text: string, at: number): number {
  return encoder.encodeInto(text, memory.subarray(at)).written;
}

function hashAt(at: number): Uint8Array {
  return memory.slice(at, at + HASH_BYTES);
}
