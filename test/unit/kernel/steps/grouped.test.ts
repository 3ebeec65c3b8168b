import { expect } from "chai";
import { grouped } from "../../../../src/kernel/steps/grouped.ts";

describe("grouped work", () => {
  /** Work that is under way until it is let go. */
  function held() {
    const groups: (readonly number[])[] = [];
    let letGo = Promise.withResolvers<undefined>();
    const work = grouped<number>(async (items) => {
      groups.push(items);
      await letGo.promise;
      if (items.includes(13)) throw new TypeError("not this one");
    });
    return {
      groups,
      work,
      go: () => {
        letGo.resolve(undefined);
        letGo = Promise.withResolvers();
        letGo.resolve(undefined);
      },
    };
  }

  it("does together what comes while it is at work", async () => {
    const { groups, work, go } = held();
    const done = Promise.all([1, 2, 3, 4].map(work));
    expect(groups).to.deep.equal([[1]]);
    go();
    await done;
    expect(groups).to.deep.equal([[1], [2, 3, 4]]);
  });

  it("takes no more than sixteen together", async () => {
    const { groups, work, go } = held();
    const done = Promise.all(Array.from({ length: 40 }, (_, index) => work(index + 100)));
    go();
    await done;
    expect(groups.map(({ length }) => length)).to.deep.equal([1, 16, 16, 7]);
  });

  it("lets one that cannot be done fail alone", async () => {
    const { groups, work, go } = held();
    const done = Promise.allSettled([1, 2, 13, 3].map(work));
    go();
    expect((await done).map(({ status }) => status)).to.deep.equal(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect(groups).to.deep.equal([[1], [2, 13, 3], [2], [13], [3]]);
  });

  it("fails all where the fault is nobody's of them, and works on for who comes then", async () => {
    let isAway = true;
    const away = Object.assign(new Error("the database is away"), { fatal: true });
    const work = grouped<number>(() => (isAway ? Promise.reject(away) : Promise.resolve()));
    const results = await Promise.allSettled([1, 2, 3].map(work));
    expect(results.map(({ status }) => status)).to.deep.equal(["rejected", "rejected", "rejected"]);
    isAway = false;
    await work(4);
  });
});
