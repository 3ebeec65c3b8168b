// Keccak-256, and by it all that a transfer is committed to: its details, its leaf, its batch's tree. AssemblyScript: built
// into src/domain/bytes/hashing-wasm.ts by `npm run wasm`. What it computes is written down plainly in src/domain, and
// tests hold it to that.

const ROUNDS: StaticArray<u64> = [
  0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
  0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
  0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
  0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
  0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
];

/** Bytes that are absorbed at a time. */
const RATE: usize = 136;
const STATE: usize = memory.data(200, 16);
/** A message that is put together here; and the three commitments of a transfer, behind the salt of a group. */
const MESSAGE: usize = memory.data(128, 16);
const GROUP_SALT: usize = memory.data(32, 16);
const COMMITMENTS: usize = memory.data(96, 16);

/** Where a caller's memory begins. */
export function start(): usize {
  return (__heap_base + 63) & ~63;
}

/** Keccak-f[1600], unrolled: lanes a0 to a24 stand row by row. */
function permute(): void {
  let a0 = load<u64>(STATE, 0);
  let a1 = load<u64>(STATE, 8);
  let a2 = load<u64>(STATE, 16);
  let a3 = load<u64>(STATE, 24);
  let a4 = load<u64>(STATE, 32);
  let a5 = load<u64>(STATE, 40);
  let a6 = load<u64>(STATE, 48);
  let a7 = load<u64>(STATE, 56);
  let a8 = load<u64>(STATE, 64);
  let a9 = load<u64>(STATE, 72);
  let a10 = load<u64>(STATE, 80);
  let a11 = load<u64>(STATE, 88);
  let a12 = load<u64>(STATE, 96);
  let a13 = load<u64>(STATE, 104);
  let a14 = load<u64>(STATE, 112);
  let a15 = load<u64>(STATE, 120);
  let a16 = load<u64>(STATE, 128);
  let a17 = load<u64>(STATE, 136);
  let a18 = load<u64>(STATE, 144);
  let a19 = load<u64>(STATE, 152);
  let a20 = load<u64>(STATE, 160);
  let a21 = load<u64>(STATE, 168);
  let a22 = load<u64>(STATE, 176);
  let a23 = load<u64>(STATE, 184);
  let a24 = load<u64>(STATE, 192);
  for (let round = 0; round < 24; round++) {
    const c0 = a0 ^ a5 ^ a10 ^ a15 ^ a20;
    const c1 = a1 ^ a6 ^ a11 ^ a16 ^ a21;
    const c2 = a2 ^ a7 ^ a12 ^ a17 ^ a22;
    const c3 = a3 ^ a8 ^ a13 ^ a18 ^ a23;
    const c4 = a4 ^ a9 ^ a14 ^ a19 ^ a24;
    const d0 = c4 ^ rotl(c1, 1);
    const d1 = c0 ^ rotl(c2, 1);
    const d2 = c1 ^ rotl(c3, 1);
    const d3 = c2 ^ rotl(c4, 1);
    const d4 = c3 ^ rotl(c0, 1);
    const b0 = a0 ^ d0;
    const b10 = rotl(a1 ^ d1, 1);
    const b20 = rotl(a2 ^ d2, 62);
    const b5 = rotl(a3 ^ d3, 28);
    const b15 = rotl(a4 ^ d4, 27);
    const b16 = rotl(a5 ^ d0, 36);
    const b1 = rotl(a6 ^ d1, 44);
    const b11 = rotl(a7 ^ d2, 6);
    const b21 = rotl(a8 ^ d3, 55);
    const b6 = rotl(a9 ^ d4, 20);
    const b7 = rotl(a10 ^ d0, 3);
    const b17 = rotl(a11 ^ d1, 10);
    const b2 = rotl(a12 ^ d2, 43);
    const b12 = rotl(a13 ^ d3, 25);
    const b22 = rotl(a14 ^ d4, 39);
    const b23 = rotl(a15 ^ d0, 41);
    const b8 = rotl(a16 ^ d1, 45);
    const b18 = rotl(a17 ^ d2, 15);
    const b3 = rotl(a18 ^ d3, 21);
    const b13 = rotl(a19 ^ d4, 8);
    const b14 = rotl(a20 ^ d0, 18);
    const b24 = rotl(a21 ^ d1, 2);
    const b9 = rotl(a22 ^ d2, 61);
    const b19 = rotl(a23 ^ d3, 56);
    const b4 = rotl(a24 ^ d4, 14);
    a0 = b0 ^ (~b1 & b2) ^ unchecked(ROUNDS[round]);
    a1 = b1 ^ (~b2 & b3);
    a2 = b2 ^ (~b3 & b4);
    a3 = b3 ^ (~b4 & b0);
    a4 = b4 ^ (~b0 & b1);
    a5 = b5 ^ (~b6 & b7);
    a6 = b6 ^ (~b7 & b8);
    a7 = b7 ^ (~b8 & b9);
    a8 = b8 ^ (~b9 & b5);
    a9 = b9 ^ (~b5 & b6);
    a10 = b10 ^ (~b11 & b12);
    a11 = b11 ^ (~b12 & b13);
    a12 = b12 ^ (~b13 & b14);
    a13 = b13 ^ (~b14 & b10);
    a14 = b14 ^ (~b10 & b11);
    a15 = b15 ^ (~b16 & b17);
    a16 = b16 ^ (~b17 & b18);
    a17 = b17 ^ (~b18 & b19);
    a18 = b18 ^ (~b19 & b15);
    a19 = b19 ^ (~b15 & b16);
    a20 = b20 ^ (~b21 & b22);
    a21 = b21 ^ (~b22 & b23);
    a22 = b22 ^ (~b23 & b24);
    a23 = b23 ^ (~b24 & b20);
    a24 = b24 ^ (~b20 & b21);
  }
  store<u64>(STATE, a0, 0);
  store<u64>(STATE, a1, 8);
  store<u64>(STATE, a2, 16);
  store<u64>(STATE, a3, 24);
  store<u64>(STATE, a4, 32);
  store<u64>(STATE, a5, 40);
  store<u64>(STATE, a6, 48);
  store<u64>(STATE, a7, 56);
  store<u64>(STATE, a8, 64);
  store<u64>(STATE, a9, 72);
  store<u64>(STATE, a10, 80);
  store<u64>(STATE, a11, 88);
  store<u64>(STATE, a12, 96);
  store<u64>(STATE, a13, 104);
  store<u64>(STATE, a14, 112);
  store<u64>(STATE, a15, 120);
  store<u64>(STATE, a16, 128);
  store<u64>(STATE, a17, 136);
  store<u64>(STATE, a18, 144);
  store<u64>(STATE, a19, 152);
  store<u64>(STATE, a20, 160);
  store<u64>(STATE, a21, 168);
  store<u64>(STATE, a22, 176);
  store<u64>(STATE, a23, 184);
  store<u64>(STATE, a24, 192);
}

/** keccak256(prefix ‖ message), the prefix shorter than a block. */
function hash(prefix: usize, prefixLength: usize, message: usize, length: usize, out: usize): void {
  memory.fill(STATE, 0, 200);
  memory.copy(STATE, prefix, prefixLength);
  let at: usize = prefixLength;
  let read: usize = 0;
  for (;;) {
    const take = min(length - read, RATE - at);
    let done: usize = 0;
    for (; done + 8 <= take; done += 8) {
      store<u64>(STATE + at + done, load<u64>(STATE + at + done) ^ load<u64>(message + read + done));
    }
    for (; done < take; done++) {
      store<u8>(STATE + at + done, load<u8>(STATE + at + done) ^ load<u8>(message + read + done));
    }
    read += take;
    at += take;
    if (at < RATE) break;
    permute();
    at = 0;
  }
  // Keccak's padding: 0x01 after the message, 0x80 in the block's last byte. They can be the same byte.
  store<u8>(STATE + at, load<u8>(STATE + at) ^ 0x01);
  store<u8>(STATE + RATE - 1, load<u8>(STATE + RATE - 1) ^ 0x80);
  permute();
  memory.copy(out, STATE, 32);
}

export function keccak(message: usize, length: usize, out: usize): void {
  hash(message, 0, message, length, out);
}

/** The names of the groups, one after the other. */
const NAMES: usize = memory.data<u8>([
  100, 101, 98, 116, 111, 114, 99, 114, 101, 100, 105, 116, 111, 114, 114, 101, 109, 105, 116, 116, 97, 110, 99, 101,
]);

/**
 * The hash of a transfer's details.
 * @param salt 32 bytes
 * @param texts canonical JSON of debtor, creditor and remittance, one after the other
 */
export function details(
  salt: usize,
  texts: usize,
  debtor: usize,
  creditor: usize,
  remittance: usize,
  out: usize,
): void {
  commit(salt, NAMES, 6, texts, debtor, COMMITMENTS);
  commit(salt, NAMES + 6, 8, texts + debtor, creditor, COMMITMENTS + 32);
  commit(salt, NAMES + 14, 10, texts + debtor + creditor, remittance, COMMITMENTS + 64);
  keccak(COMMITMENTS, 96, out);
}

function commit(salt: usize, name: usize, nameLength: usize, text: usize, length: usize, out: usize): void {
  hash(salt, 32, name, nameLength, GROUP_SALT);
  hash(GROUP_SALT, 32, text, length, out);
}

/** @param encoded abi.encode(bytes16 uetr, uint128 source, uint128 target, bytes32 details) */
export function leaf(encoded: usize, out: usize): void {
  keccak(encoded, 128, out);
  keccak(out, 32, out);
}

/**
 * Sorts leaves and builds the tree above them: OpenZeppelin's StandardMerkleTree.
 * @param keys for 32 bytes a leaf
 * @param positions for 4 bytes a leaf: where in the tree each of them is
 * @param nodes for two nodes a leaf, less one
 * @returns whether no two leaves are the same; if they are, there is no tree
 */
export function tree(leaves: usize, count: u32, keys: usize, positions: usize, nodes: usize): bool {
  const last: u32 = 2 * count - 2;
  const sorted = sort(leaves, count, keys);
  for (let rank: u32 = 0; rank < count; rank++) {
    const index = indexOf(sorted, rank);
    const node = nodes + ((<usize>(last - rank)) << 5);
    memory.copy(node, leaves + ((<usize>index) << 5), 32);
    if (rank > 0 && memory.compare(node, node + 32, 32) == 0) return false;
    store<u32>(positions + ((<usize>index) << 2), last - rank);
  }
  for (let position: u32 = count - 1; position > 0; position--) {
    const left = nodes + ((<usize>(2 * position - 1)) << 5);
    const isAscending = memory.compare(left, left + 32, 32) <= 0;
    memory.copy(MESSAGE, isAscending ? left : left + 32, 32);
    memory.copy(MESSAGE + 32, isAscending ? left + 32 : left, 32);
    keccak(MESSAGE, 64, nodes + ((<usize>(position - 1)) << 5));
  }
  return true;
}

// A key is the first eight bytes of a leaf, as a number, and the leaf's index.

function keyOf(keys: usize, rank: u32): u64 {
  return load<u64>(keys + ((<usize>rank) << 4));
}

function indexOf(keys: usize, rank: u32): u32 {
  return load<u32>(keys + ((<usize>rank) << 4), 8);
}

/**
 * By merging, so that no order in which they come takes longer than another: somebody else has chosen it.
 * @returns where the sorted keys are
 */
function sort(leaves: usize, count: u32, keys: usize): usize {
  for (let index: u32 = 0; index < count; index++) {
    store<u64>(keys + ((<usize>index) << 4), bswap<u64>(load<u64>(leaves + ((<usize>index) << 5))));
    store<u64>(keys + ((<usize>index) << 4), index, 8);
  }
  let from = keys;
  let to = keys + ((<usize>count) << 4);
  for (let width: u32 = 1; width < count; width *= 2) {
    for (let low: u32 = 0; low < count; low += 2 * width) {
      merge(leaves, from, to, low, min(low + width, count), min(low + 2 * width, count));
    }
    const merged = to;
    to = from;
    from = merged;
  }
  return from;
}

function merge(leaves: usize, from: usize, to: usize, low: u32, middle: u32, high: u32): void {
  let left = low;
  let right = middle;
  for (let rank = low; rank < high; rank++) {
    const isLeft = right == high || (left < middle && isBefore(leaves, from, left, right));
    const taken = from + ((<usize>(isLeft ? left++ : right++)) << 4);
    memory.copy(to + ((<usize>rank) << 4), taken, 16);
  }
}

function isBefore(leaves: usize, keys: usize, left: u32, right: u32): bool {
  const one = keyOf(keys, left);
  const other = keyOf(keys, right);
  if (one != other) return one < other;
  const index = <usize>indexOf(keys, left);
  return memory.compare(leaves + (index << 5), leaves + ((<usize>indexOf(keys, right)) << 5), 32) <= 0;
}
