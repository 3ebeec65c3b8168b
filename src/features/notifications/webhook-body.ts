import type { DeliveredEvent } from "./store.ts";
import { eventJson } from "./event-json.ts";
import { formatInstant as instant } from "../../domain/instant.ts";
import { WEBHOOK_VERSION } from "../../domain/versions.ts";
import { moneyJson } from "../../schema/fields.ts";

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
  return {
    version: WEBHOOK_VERSION,
    type: event.type,
    timestamp: instant(event.at),
    data: { ...eventJson(event), ...transfer },
  };
}
