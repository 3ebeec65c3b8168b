import type { DeliveredEvent } from "../store/webhooks.ts";
import { eventJson } from "./event-json.ts";
import { instant, moneyJson } from "./json.ts";

/** What is POSTed: ids, statuses, amounts and times; never who pays whom. */
export function webhookBody(event: DeliveredEvent): object {
  const { amounts } = event;
  const transfer =
    amounts === undefined
      ? {}
      : {
          transfer: {
            status: event.type.replace("transfer.", ""),
            send: moneyJson(amounts.send.minor, amounts.send.currency),
            receive: moneyJson(amounts.receive.minor, amounts.receive.currency),
          },
        };
  return { type: event.type, timestamp: instant(event.at), data: { ...eventJson(event), ...transfer } };
}
