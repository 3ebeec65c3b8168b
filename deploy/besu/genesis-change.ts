import { validatorsIn } from "./genesis.ts";
import type { GenesisParameters } from "./plan.ts";
import { normalizeHex } from "../../src/domain/bytes/hex.ts";

/** What a running ledger's genesis file may say anew: forks to come, and a time that no block is judged by. */
const MAY_CHANGE = new Set(["config.pragueTime", "config.osakaTime", "config.qbft.requesttimeoutseconds"]);
/** What may be added to it, and then stays: validators from a block on. */
const MAY_BE_ADDED = /^config\.transitions\.qbft\.\d+\./;

/** A genesis that is another one than the folder has: nodes that have begun with that one do not start with this. */
export class GenesisChanged extends Error {
  readonly fields: readonly string[];

  constructor(folder: string, fields: readonly string[], began: GenesisParameters | undefined) {
    const keep =
      began === undefined
        ? ""
        : ` If it has begun, network.json keeps what it began with: "genesis": ${JSON.stringify(began)}.`;
    super(
      `${folder} has another genesis (${fields.join(", ")}), and a ledger that has begun cannot change it.${keep} If it has not begun, say so with --new-genesis`,
    );
    this.name = "GenesisChanged";
    this.fields = fields;
  }
}

/**
 * @param before the genesis file that is there; undefined where there is none
 * @throws GenesisChanged when the new one is of another ledger
 */
export function refuseGenesisChange(folder: string, before: string | undefined, after: string | undefined): void {
  if (before === undefined || after === undefined || before === after) return;
  const [old, next] = [leavesOf(parsed(before)), leavesOf(parsed(after))];
  const fields = [...new Set([...old.keys(), ...next.keys()])].filter(
    (field) =>
      old.get(field) !== next.get(field) && !MAY_CHANGE.has(field) && !(MAY_BE_ADDED.test(field) && !old.has(field)),
  );
  if (fields.length > 0) throw new GenesisChanged(folder, fields, parametersOf(old));
}

function parametersOf(genesis: ReadonlyMap<string, unknown>): GenesisParameters | undefined {
  const [extraData, gasLimit] = [genesis.get("extraData"), genesis.get("gasLimit")];
  const validators = validatorsIn(extraData);
  const isQuantity = typeof gasLimit === "string" && /^0x[0-9a-f]{1,12}$/.test(gasLimit);
  if (validators === undefined || !isQuantity) return undefined;
  return { validators: validators.map((address) => normalizeHex(address)), gasLimit: Number.parseInt(gasLimit, 16) };
}

function parsed(text: string): unknown {
  try {
    // Whatever it is, its leaves are compared.
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Every value that is no object, by its path; an empty object is one. */
function leavesOf(value: unknown, path = ""): ReadonlyMap<string, unknown> {
  if (typeof value !== "object" || value === null) return new Map([[path, value]]);
  const members = Object.entries(value);
  if (members.length === 0) return new Map([[path, "{}"]]);
  return new Map(members.flatMap(([name, member]) => [...leavesOf(member, path === "" ? name : `${path}.${name}`)]));
}
