import { expect } from "chai";
import fc from "fast-check";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { cleanText, parseText } from "../../../../src/domain/text.ts";
import { anyText } from "../../../unit/domain/texts.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";

describeOnBothDatabases("text that is taken", (open) => {
  it("comes back from jsonb and text columns as it went in, whatever was given", async () => {
    const db = await open({ migrated: false });
    await fc.assert(
      fc.asyncProperty(fc.array(anyText, { minLength: 50, maxLength: 50 }), async (given) => {
        const texts = [...given.flatMap(taken), ...given.map(cleanText)];
        const [row] = await db.query<{ json: unknown; plain: unknown }>("SELECT $1::jsonb AS json, $2::text AS plain", [
          JSON.stringify(texts),
          texts.join("\n"),
        ]);
        expect(row).to.deep.equal({ json: texts, plain: texts.join("\n") });
      }),
      { numRuns: 20 },
    );
  });
});

function taken(text: string): readonly string[] {
  try {
    return [parseText(text, "text")];
  } catch (failure) {
    expect(failure).to.be.instanceOf(InvalidInput);
    return [];
  }
}
