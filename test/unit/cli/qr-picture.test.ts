import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { expect } from "chai";
import { decode, encode } from "fast-png";
import { qrPng, readQrPicture } from "../../../src/cli/work/qr-picture.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { createRandom } from "../../../src/kernel/random.ts";
import { SOUND } from "../domain/published-codes.ts";
import { parsed, run } from "./fixtures.ts";
import { photograph } from "./qr-pictures.ts";

const TEXT = SOUND.find(({ of }) => of === "PromptPay")?.text ?? "";

function ruleFor(file: Uint8Array): string {
  try {
    return `read: ${readQrPicture(file, "picture")}`;
  } catch (failure) {
    if (failure instanceof InvalidInput && failure.field === "picture") return failure.rule;
    throw failure;
  }
}

describe("a payment code as a picture", function () {
  this.timeout(120_000);
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), "feiqian-qr-"))));
  after(() => rm(folder, { recursive: true }));

  it("is drawn here and in files, and read from them as it was", async () => {
    for (const { text } of SOUND) {
      expect(readQrPicture(qrPng(text), "picture")).to.equal(text);
      const here = await run(["qr", "draw", text]);
      expect([here.code, here.err]).to.deep.equal([0, ""]);
      expect(readQrPicture(fromLines(here.out), "picture")).to.equal(text);
    }
    const file = join(folder, "code.png");
    expect((await run(["qr", "draw", TEXT, "--out", file])).out).to.equal(`written to  ${file}\n`);
    expect((await run(["qr", "read", "--picture", file])).out).to.equal((await run(["qr", "read", TEXT])).out);
    const svg = join(folder, "code.svg");
    expect(parsed((await run(["qr", "draw", TEXT, "--out", svg, "--json"])).out)).to.deep.equal({
      text: TEXT,
      file: svg,
    });
    expect(await readFile(svg, "utf8")).to.match(/^<svg viewBox="0 0 \d+ \d+" [^>]+><path fill="#fff".*<\/svg>$/);
  });

  it("is white on black for a terminal of any colours", async () => {
    const { out } = await run(["qr", "draw", TEXT], { isTerminal: true });
    const [first = ""] = out.split("\n");
    expect(JSON.stringify(first)).to.match(/^"\\u001b\[38;5;231;48;5;16m█+\\u001b\[0m"$/);
  });

  it("is found in photographs of it, turned, tilted, noisy and badly lit", () => {
    for (let seed = 0; seed < 24; seed++) {
      const random = createRandom(`photograph ${seed}`);
      const shot = {
        size: 480 + random.below(300),
        turn: random.below(360),
        tilt: random.below(12) / 100,
        noise: random.below(40),
        shade: random.below(40) / 100,
      };
      expect(ruleFor(photograph(TEXT, shot, random)), `${seed}: ${JSON.stringify(shot)}`).to.equal(`read: ${TEXT}`);
    }
  });

  it("is read from every form that a PNG has", () => {
    const { width, height, data: grey } = decode(qrPng(TEXT));
    const bits = Uint8Array.from({ length: Math.ceil(width / 8) * height }, (_, index) => {
      const [row, byte] = [Math.floor(index / Math.ceil(width / 8)), index % Math.ceil(width / 8)];
      return Array.from({ length: 8 }, (__, bit) => (grey[row * width + byte * 8 + bit] ?? 0) >> 7).reduce(
        (all, bit) => all * 2 + bit,
      );
    });
    const each = (channels: number, of: (value: number) => readonly number[]): Uint8Array =>
      Uint8Array.from(Array.from(grey).flatMap((value) => of(value).slice(0, channels)));
    const forms = {
      "a bit a pixel": { width, height, data: bits, depth: 1, channels: 1 },
      "two bytes a pixel": {
        width,
        height,
        data: Uint16Array.from(grey, (value) => value * 257),
        depth: 16,
        channels: 1,
      },
      colours: { width, height, data: each(3, (value) => [value, value, value]), channels: 3 },
      "seen through": { width, height, data: each(4, (value) => [0, 0, 0, 255 - value]), channels: 4 },
      "grey seen through": { width, height, data: each(2, (value) => [value, 255]), channels: 2 },
      "a palette": {
        ...{ width, height, data: each(1, (value) => [value >> 7]), channels: 1 },
        palette: [
          [0, 0, 128],
          [255, 255, 200],
        ] as [number, number, number][],
      },
    } as const;
    for (const [form, image] of Object.entries(forms)) {
      expect(ruleFor(encode(image)), form).to.equal(`read: ${TEXT}`);
    }
  });

  it("is not taken from what is no picture, too large, damaged or without a code", async () => {
    const png = qrPng(TEXT);
    expect(ruleFor(new Uint8Array())).to.equal("a PNG");
    expect(ruleFor(new TextEncoder().encode("<svg/>"))).to.equal("a PNG");
    expect(ruleFor(new Uint8Array(10_000_001))).to.equal("a file of at most 10 MB");
    expect(ruleFor(encode({ width: 40, height: 40, data: new Uint8Array(1_600).fill(200), channels: 1 }))).to.contain(
      "one QR code that can be read",
    );
    for (let cut = 8; cut < png.length; cut += 97) {
      expect(ruleFor(png.subarray(0, cut)), `${cut}`).not.to.contain("read:");
    }
    // What a small file unpacks to is known before it is unpacked.
    const vast = withHeader(png, 60_000, 60_000);
    expect(ruleFor(vast)).to.equal("a PNG of 1 to 16 million pixels");
    const bomb = chunksOf(png, { IDAT: deflateSync(new Uint8Array(50_000_000)) });
    expect(ruleFor(bomb)).to.equal("a PNG that is not damaged");
    const random = createRandom("damage");
    for (let times = 0; times < 300; times++) {
      const changed = png.slice();
      for (let bytes = 0; bytes <= random.below(3); bytes++) {
        changed[8 + random.below(png.length - 8)] = random.below(256);
      }
      const rule = ruleFor(changed);
      if (rule.startsWith("read:")) expect(rule).to.equal(`read: ${TEXT}`);
    }
    const notes = join(folder, "notes.png");
    await writeFile(notes, "none");
    const ran = await run(["qr", "read", "--picture", notes]);
    expect([ran.code, ran.err]).to.deep.equal([4, "feiqian: --picture: a PNG\n"]);
  });

  it("is drawn once it is sound, into no file that is there, and read from one of two places", async () => {
    const there = join(folder, "there.svg");
    await writeFile(there, "mine");
    const refused = await run(["qr", "draw", TEXT, "--out", there]);
    expect([refused.code, refused.err]).to.deep.equal([
      4,
      `feiqian: --out: a file that can be written, and is not there yet (${there}: EEXIST)\n`,
    ]);
    expect(await readFile(there, "utf8")).to.equal("mine");
    expect((await run(["qr", "draw", TEXT, "--out", join(folder, "code.gif")])).err).to.contain("ends in .png or .svg");
    expect((await run(["qr", "draw", `${TEXT}0`])).code).to.equal(4);
    for (const args of [[], [TEXT, "--picture", there]]) {
      const ran = await run(["qr", "read", ...args]);
      expect([ran.code, ran.out]).to.deep.equal([2, ""]);
    }
    expect((await run(["qr", "read", "--picture", join(folder, "none.png")])).err).to.contain("ENOENT");
  });
});

/** The modules that block characters show: the light ones are drawn. */
function fromLines(out: string): Uint8Array {
  const rows = out.split("\n").filter((line) => /^[█▀▄ ]+$/.test(line));
  const modules = rows.flatMap((line) => [
    Array.from(line, (block) => block === "█" || block === "▀"),
    Array.from(line, (block) => block === "█" || block === "▄"),
  ]);
  const [scale, side] = [4, modules[0]?.length ?? 0];
  const size = side * scale;
  const data = Uint8Array.from({ length: size * size }, (_, index) => {
    const row = modules[Math.floor(index / size / scale)] ?? [];
    return row[Math.floor((index % size) / scale)] === true ? 255 : 0;
  });
  return encode({ width: size, height: size, data, channels: 1 });
}

function withHeader(png: Uint8Array, width: number, height: number): Uint8Array {
  const header = Buffer.from(png.subarray(16, 29));
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return chunksOf(png, { IHDR: header });
}

/** The same chunks, with other data in some. */
function chunksOf(png: Uint8Array, others: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const view = Buffer.from(png);
  const chunks: Buffer[] = [view.subarray(0, 8)];
  for (let at = 8; at < view.length;) {
    const length = view.readUInt32BE(at);
    const name = view.toString("latin1", at + 4, at + 8);
    const data = others[name] ?? view.subarray(at + 8, at + 8 + length);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(data.length, 0);
    head.write(name, 4, "latin1");
    chunks.push(head, Buffer.from(data), view.subarray(at + 8 + length, at + 12 + length));
    at += 12 + length;
  }
  return Buffer.concat(chunks);
}
