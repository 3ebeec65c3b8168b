import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { findWrongEncoding, NotUtf8, readTextFile } from "../../../src/kernel/text-file.ts";

/** Names as programs of the ten countries write them, in bytes of their own encodings. */
const SAMPLES: readonly (readonly [encoding: RegExp, bytes: string])[] = [
  // 陈大文,张伟,王芳
  [/looks like GBK: convert it \("iconv -f GB18030/, "\xb3\xc2\xb4\xf3\xce\xc4,\xd5\xc5\xce\xb0,\xcd\xf5\xb7\xbc"],
  // 陳大文,黃小明
  [/looks like Big5 or Thai/, "\xb3\xaf\xa4j\xa4\xe5,\xb6\xc0\xa4p\xa9\xfa"],
  // 김민준,이서연
  [/looks like EUC-KR or/, "\xb1\xe8\xb9\xce\xc1\xd8,\xc0\xcc\xbc\xad\xbf\xac"],
  // นัทธิดา ศรีสุข
  [/looks like Thai \(Windows-874\): /, "\xb9\xd1\xb7\xb8\xd4\xb4\xd2 \xc8\xc3\xd5\xca\xd8\xa2"],
  [/looks like Windows-1252: /, "Jos\xe9 Pe\xf1a"],
  [/^in UTF-8, all of it/, "\x81\x8d\x9d"],
  [/not UTF-16/, "\xff\xfea\x00\n\x00"],
  [/not UTF-16/, "\xfe\xff\x00a\x00\n"],
  [/not UTF-16/, "a\x00b\x00\n\x00"],
  [/not a spreadsheet's own file/, "PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\x9f"],
];

describe("a text file", () => {
  for (const [rule, text] of SAMPLES) {
    it(`that is not UTF-8 is told what it looks like, and how to convert it: ${rule.source}`, async () => {
      expect((await findWrongEncoding([Buffer.from(text, "latin1")]))?.rule).to.match(rule);
    });
  }

  it("is UTF-8 to its last byte, or is not; the first line that shows it is told (property)", async () => {
    const lines = fc.array(
      fc.string({ unit: "grapheme" }).map((line) => line.replaceAll(/[\n\0]/g, "")),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(lines, fc.nat(), fc.integer({ min: 1, max: 9 }), async (texts, where, chunkBytes) => {
        const good = Buffer.from(texts.map((text) => `${text.toWellFormed()}\n`).join(""));
        expect(await findWrongEncoding(chunksOf(good, chunkBytes))).to.equal(undefined);
        const at = where % (texts.length + 1);
        const broken = [...texts.map((text) => Buffer.from(text.toWellFormed())).toSpliced(at, 0, Buffer.of(0xe9))];
        const bytes = Buffer.concat(broken.flatMap((line) => [line, Buffer.from("\n")]));
        expect((await findWrongEncoding(chunksOf(bytes, chunkBytes)))?.line).to.equal(at + 1);
      }),
    );
  });

  it("that ends in the middle of a character is not", async () => {
    const cut = Buffer.from("a\n漢").subarray(0, -1);
    for (const chunkBytes of [1, 2, 100]) {
      expect((await findWrongEncoding(chunksOf(cut, chunkBytes)))?.line).to.equal(2);
    }
  });

  it("is read without its byte order mark, as it was saved; or not at all", async () => {
    const folder = await mkdtemp(join(tmpdir(), "feiqian-text-"));
    const path = join(folder, "file");
    try {
      await writeFile(path, "\ufeffé漢\r\n");
      expect(await readTextFile(path)).to.equal("é漢\r\n");
      await writeFile(path, Buffer.from("Jos\xe9", "latin1"));
      const failure: unknown = await readTextFile(path).catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(NotUtf8);
      expect(String(failure)).not.to.contain("Jos");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

function* chunksOf(bytes: Uint8Array, chunkBytes: number): Iterable<Uint8Array> {
  for (let from = 0; from < bytes.length; from += chunkBytes) yield bytes.subarray(from, from + chunkBytes);
}
