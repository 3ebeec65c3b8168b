const START = 0xffff;
const TOP_BIT = 0x8000;
const POLYNOMIAL = 0x1021;

/** CRC-16/CCITT-FALSE, which nothing is reflected in: 0x29b1 of the nine bytes "123456789". */
export function crc16(bytes: Uint8Array): number {
  let crc = START;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & TOP_BIT) === 0 ? crc << 1 : (crc << 1) ^ POLYNOMIAL;
    crc &= START;
  }
  return crc;
}
