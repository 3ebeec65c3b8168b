import type { AddCommands } from "../../../command/act.ts";
import { addReceiptCommands } from "./receipts.ts";
import { addTransferCommands } from "./transfers.ts";

export const addRemittanceCommands: AddCommands = (program, io) => {
  addTransferCommands(program, io);
  addReceiptCommands(program, io);
};
