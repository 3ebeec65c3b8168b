import { inflateSync } from "node:zlib";
import { decode, encode, hasPngSignature, type DecodedPng } from "fast-png";
import encodeQR from "qr";
import decodeQR from "qr/decode.js";
import { InvalidInput } from "../../domain/errors.ts";

// QR codes (ISO/IEC 18004) as pictures. The quiet zone is four modules wide, as the standard has it; the error correction
// level is M, which EMVCo asks for.

const LEVEL = { ecc: "medium", border: 4 } as const;
/** Pixels a module. */
const SCALE = 8;
const WHITE = 255;

export const MOST_PICTURE_BYTES = 10_000_000;
const MOST_PIXELS = 16_000_000;
/** By effort and not by time, so that a slow machine finds what a quick one does: half a second for each turn at the most. */
const SEARCH = { effort: 100, timeLimit: Number.POSITIVE_INFINITY } as const;
/** A code that is tilted is not found from every side. */
const TURNS = [0, 30, 60, 15, 45, 75];

/** White on black, whatever the terminal's own colours are. */
const COLOURS = "\u001B[38;5;231;48;5;16m";
const OWN_COLOURS = "\u001B[0m";

/** As lines of block characters, two modules in each: the light ones are drawn. */
export function qrLines(text: string, isColoured: boolean): string {
  const lines = encodeQR(text, "ascii", LEVEL)
    .split("\n")
    .filter((line) => line !== "");
  return lines.map((line) => (isColoured ? `${COLOURS}${line}${OWN_COLOURS}` : line)).join("\n");
}

export function qrSvg(text: string): string {
  // It draws nothing where it is light, and pages may be dark.
  return encodeQR(text, "svg", LEVEL).replace(">", '><path fill="#fff" d="M0 0h999v999H0z"/>');
}

export function qrPng(text: string): Uint8Array {
  const modules = encodeQR(text, "raw", LEVEL);
  const size = modules.length * SCALE;
  const data = Uint8Array.from({ length: size * size }, (_, index) => {
    const [x, y] = [Math.floor((index % size) / SCALE), Math.floor(index / size / SCALE)];
    return modules[y]?.[x] === true ? 0 : WHITE;
  });
  return encode({ width: size, height: size, data, channels: 1 });
}

/**
 * The text of the QR code in a PNG: a drawing, or a photograph in which it may be turned, tilted or noisy.
 * @throws InvalidInput when it is no PNG, too large, damaged, or no code is found in it
 */
export function readQrPicture(file: Uint8Array, field: string): string {
  const picture = readPng(file, field);
  for (const degrees of TURNS) {
    try {
      return decodeQR(turned(picture, degrees), { format: "RGB", ...SEARCH });
    } catch {
      // Looked at from another side.
    }
  }
  throw new InvalidInput(field, "a picture with one QR code that can be read: all of it, sharp, with light around it");
}

interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel. */
  readonly data: Uint8Array;
}

function readPng(file: Uint8Array, field: string): Picture {
  if (file.length > MOST_PICTURE_BYTES) {
    throw new InvalidInput(field, `a file of at most ${MOST_PICTURE_BYTES / 1_000_000} MB`);
  }
  if (!hasPngSignature(file)) throw new InvalidInput(field, "a PNG");
  try {
    const png = decode(needed(file, field), { checkCrc: true });
    return { width: png.width, height: png.height, data: coloursOf(png) };
  } catch (failure) {
    if (failure instanceof InvalidInput) throw failure;
    throw new InvalidInput(field, "a PNG that is not damaged");
  }
}

const SIGNATURE_LENGTH = 8;
/** Length and name before a chunk's data, and the CRC after it. */
const CHUNK_HEAD = 8;
const CHUNK_TAIL = 4;
/** What the picture itself is in. Others may unpack to anything. */
const NEEDED = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"];
const MOST_CHANNELS = 4;
const BYTES_A_CHANNEL = 2;

/**
 * The picture's own chunks, once it is known how much memory they will take.
 * @throws InvalidInput when that is more than the picture has pixels for
 */
function needed(file: Uint8Array, field: string): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const kept: Uint8Array[] = [file.subarray(0, SIGNATURE_LENGTH)];
  const packed: Uint8Array[] = [];
  let pixels = 0;
  for (let at = SIGNATURE_LENGTH; at + CHUNK_HEAD <= file.length;) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...file.subarray(at + 4, at + CHUNK_HEAD));
    const data = file.subarray(at + CHUNK_HEAD, at + CHUNK_HEAD + length);
    const end = at + CHUNK_HEAD + length + CHUNK_TAIL;
    if (name === "IHDR" && data.length >= CHUNK_HEAD) pixels = view.getUint32(at + 8) * view.getUint32(at + 12);
    if (name === "IDAT") packed.push(data);
    if (NEEDED.includes(name)) kept.push(file.subarray(at, end));
    at = end;
  }
  if (pixels === 0 || pixels > MOST_PIXELS) {
    throw new InvalidInput(field, `a PNG of 1 to ${MOST_PIXELS / 1_000_000} million pixels`);
  }
  // Each row has a byte of its own; of interlaced ones there are up to twice as many.
  inflateSync(Buffer.concat(packed), { maxOutputLength: (pixels * MOST_CHANNELS * BYTES_A_CHANNEL + pixels) * 2 });
  return Buffer.concat(kept);
}

/** Red, green and blue in a byte each, on white where it can be seen through. */
function coloursOf(png: DecodedPng): Uint8Array {
  const { width, height, depth, channels, palette } = png;
  const values = unpacked(png);
  const most = palette === undefined ? 2 ** depth - 1 : WHITE;
  const parts = palette?.[0]?.length ?? channels;
  const at = (pixel: number, part: number): number =>
    (palette === undefined ? values[pixel * channels + part] : palette[values[pixel] ?? 0]?.[part]) ?? 0;
  const isOpaque = parts % 2 === 1;
  const colours = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const opacity = isOpaque ? 1 : at(pixel, parts - 1) / most;
    for (let colour = 0; colour < 3; colour++) {
      const value = at(pixel, parts < 3 ? 0 : colour) / most;
      colours[pixel * 3 + colour] = Math.round((value * opacity + 1 - opacity) * WHITE);
    }
  }
  return colours;
}

/** The picture turned around its middle, with its corners cut off. */
function turned(picture: Picture, degrees: number): Picture {
  if (degrees === 0) return picture;
  const { width, height, data } = picture;
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const colours = new Uint8Array(data.length).fill(WHITE);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [across, down] = [x - width / 2, y - height / 2];
      const column = Math.round(across * cos + down * sin + width / 2);
      const row = Math.round(down * cos - across * sin + height / 2);
      if (column < 0 || column >= width || row < 0 || row >= height) continue;
      const from = (row * width + column) * 3;
      colours.set(data.subarray(from, from + 3), (y * width + x) * 3);
    }
  }
  return { width, height, data: colours };
}

/** A value for each channel of each pixel: where several are in a byte, each row begins with a byte. */
function unpacked({ data, width, height, depth, channels }: DecodedPng): Uint8Array | Uint16Array | Uint8ClampedArray {
  if (depth >= 8) return data;
  const [perRow, bytesARow] = [width * channels, Math.ceil((width * channels * depth) / 8)];
  return Uint8Array.from({ length: perRow * height }, (_, index) => {
    const bit = (index % perRow) * depth;
    const byte = data[Math.floor(index / perRow) * bytesARow + Math.floor(bit / 8)] ?? 0;
    return (byte >> (8 - depth - (bit % 8))) & (2 ** depth - 1);
  });
}
