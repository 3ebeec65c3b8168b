import { expect } from "chai";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { measureFloor } from "../../../scripts/bench/floor.ts";
import { requireDurable, withClient } from "../../../scripts/bench/usage.ts";
import { startPostgres, type PostgresServer } from "../support/postgres.ts";

describe("The floor of a measurement", function () {
  let server: PostgresServer;

  before(async function () {
    const started = await startPostgres();
    if (started === undefined) {
      console.warn("SKIPPED, for there is no PostgreSQL to start: the floor of a measurement");
      return this.skip();
    }
    server = started;
  });

  after(() => server.stop());

  for (const connections of [undefined, 4]) {
    it(`is rows, hashes and ${connections === undefined ? "lines" : "requests"}, and leaves no database behind`, async () => {
      const rows = await measureFloor({ databaseUrl: server.url, transfers: 1_300, batchTransfers: 500, connections });
      expect(rows.map(({ what }) => what)).to.deep.equal([
        "COPY, on disk",
        "details, leaves, trees",
        "HTTP, answered at once",
      ]);
      for (const { seconds, microseconds, what } of rows) {
        expect(seconds, what).to.be.above(0);
        // Processes other than this one are counted in steps of 10 ms, which so few requests may not fill.
        if (!what.startsWith("HTTP")) expect(microseconds, what).to.be.above(0);
      }
      const left = await withClient(server.url, (client) =>
        client.query("SELECT datname FROM pg_database WHERE datname LIKE 'bench%'"),
      );
      expect(left.rows).to.deep.equal([]);
    });
  }

  it("is not taken of a server that loses what it has committed", async () => {
    const failure = await requireDurable(server.url).catch((thrown: unknown) => thrown);
    expect(failure).to.be.instanceOf(InvalidInput).and.deep.include({ field: "--database" });
    expect(String(failure)).to.include("fsync = on");
  });
});
