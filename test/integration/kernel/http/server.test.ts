import { expect } from "chai";
import { describeOn } from "../../support/databases.ts";
import { apiRelay } from "../../support/api.ts";

describeOn("PGlite", "the HTTP server", (open) => {
  it("starts however long its parts take on a busy machine", async () => {
    const relay = await apiRelay(await open());
    try {
      expect(relay.app.initialConfig.pluginTimeout).to.equal(0);
    } finally {
      await relay.close();
    }
  });
});
