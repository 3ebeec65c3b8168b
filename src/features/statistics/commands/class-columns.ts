import { REASON_CLASSES, type ReasonClass } from "../../../domain/reason-class.ts";
import type { Column } from "../../../kernel/table.ts";
import type { SuccessJson } from "../../../schema/statistics.ts";

type Unpaid = Pick<SuccessJson["total"], "unpaid">;

/** A column for each class of reasons that there is one of. */
export function classColumns(total: Unpaid): readonly Column<Unpaid>[] {
  // The keys of a constant object are its own names.
  const classes = Object.keys(REASON_CLASSES) as ReasonClass[];
  return classes
    .filter((name) => ofClass(total, name) > 0)
    .map((name) => ({
      title: name,
      value: (row) => (ofClass(row, name) === 0 ? "" : String(ofClass(row, name))),
      align: "right",
    }));
}

function ofClass({ unpaid }: Unpaid, name: ReasonClass): number {
  return unpaid.filter((each) => each.class === name).reduce((sum, { transfers }) => sum + transfers, 0);
}
