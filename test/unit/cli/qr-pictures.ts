import encodeQR from "qr";
import { encode } from "fast-png";
import type { Random } from "../../../src/kernel/random.ts";

/** How a photograph of a code is taken. */
export interface Shot {
  /** Pixels, of a square picture. */
  readonly size: number;
  /** Turned, in degrees. */
  readonly turn: number;
  /** How much nearer one side of the paper is than its middle, of 1: 0 from the front. */
  readonly tilt: number;
  /** The most that a pixel's grey is off, of 255. */
  readonly noise: number;
  /** How much darker the darker corner is, of 1. */
  readonly shade: number;
}

/** A picture of a code on a grey table, as a phone takes it: turned, tilted, unevenly lit and noisy. */
export function photograph(text: string, { size, turn, tilt, noise, shade }: Shot, random: Random): Uint8Array {
  const modules = encodeQR(text, "raw", { ecc: "medium", border: 4 });
  const count = modules.length;
  const angle = (turn * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const extent = size * 0.62;
  const data = new Uint8Array(size * size);
  for (let index = 0; index < data.length; index++) {
    const [x, y] = [(index % size) - size / 2, Math.floor(index / size) - size / 2];
    // From the picture back to the paper.
    const [u, v] = [x * cos + y * sin, y * cos - x * sin];
    const depth = 1 + (tilt * v) / extent;
    const [column, row] = [(u / depth / extent + 0.5) * count, (v / depth / extent + 0.5) * count];
    const module = modules[Math.floor(row)]?.[Math.floor(column)];
    const ink = module === undefined ? 150 : module ? 40 : 230;
    const light = 1 - (shade * index) / data.length;
    data[index] = Math.min(255, Math.max(0, ink * light + random.below(2 * noise + 1) - noise));
  }
  return encode({ width: size, height: size, data, channels: 1 });
}
