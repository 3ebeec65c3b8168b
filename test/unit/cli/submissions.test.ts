import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { TRANSFER_FATES, type TransferFate } from "../../../src/schema/problems.ts";
import { ACCEPTANCE, fakeRelay, parsed, problem, run, SEND, transferAt, UETR, type Answering } from "./fixtures.ts";

describe("what the command line makes of a submission that is not accepted", () => {
  const sent = (answer: ReturnType<Answering>, more: readonly string[] = []) =>
    run(
      [...SEND, "--uetr", UETR, ...more],
      fakeRelay(() => answer),
    );

  for (const [what, answer, code, meaning] of [
    ["refused for good", problem(422, "no-quote", "nobody", "none"), 12, TRANSFER_FATES.none],
    ["stored with other content", problem(409, "uetr-conflict", "other", "stored"), 7, TRANSFER_FATES.stored],
    ["of a key that is revoked", problem(401, "unauthorized", "no", "unknown"), 5, TRANSFER_FATES.unknown],
    ["refused by a relay that says no more", problem(422, "no-quote", "nobody"), 8, TRANSFER_FATES.unknown],
    ...[400, 403, 404, 409, 410, 413, 422, 503].map(
      (status) =>
        [
          `answered ${status} by a proxy`,
          { status, text: "no" },
          status === 403 ? 5 : 8,
          TRANSFER_FATES.unknown,
        ] as const,
    ),
  ] as const) {
    it(`${what}: ends with ${code}, and says what that means for the money`, async () => {
      const { err } = await sent(answer);
      expect(err).to.contain(meaning).and.to.contain(UETR);
      const told = await sent(answer, ["--json"]);
      expect(told.code).to.equal(code);
      expect(parsed(told.err)["error"]).to.deep.include({ uetr: UETR, exitCode: code });
    });
  }

  it("shows how what is stored stands", async () => {
    const body = {
      ...(problem(409, "uetr-conflict", "other", "stored").body as object),
      stored: transferAt("credited"),
    };
    const { code, err } = await sent({ status: 409, body });
    expect(code).to.equal(7);
    expect(err).to.contain("(credited, final)");
  });

  it("of a file, tells what is refused for good from what is to be sent again", async () => {
    const folder = await mkdtemp(join(tmpdir(), "feiqian-cli-"));
    const file = join(folder, "transfers.ndjson");
    const { asked, fetch } = fakeRelay(() => ({ status: 202, body: ACCEPTANCE }));
    await run([...SEND, "--uetr", UETR], { fetch });
    await writeFile(file, `${JSON.stringify(asked[0]?.body)}\n`);
    const answers: [transfer: TransferFate | undefined, code: number][] = [
      ["none", 9],
      ["stored", 9],
      ["unknown", 8],
      [undefined, 8],
    ];
    for (const [transfer, code] of answers) {
      const line = { line: 1, uetr: UETR, status: 422, problem: problem(422, "no-quote", "nobody", transfer).body };
      const relay = fakeRelay(() => ({ text: `${JSON.stringify(line)}\n` }));
      const ran = await run(["send", "--file", file], relay);
      expect(ran.code, String(transfer)).to.equal(code);
      expect(ran.out).to.contain(TRANSFER_FATES[transfer ?? "unknown"]);
    }
    await rm(folder, { recursive: true });
  });
});
