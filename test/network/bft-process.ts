// A process that starts a ledger and waits to be killed: node test/network/bft-process.ts <folder> <isolated or not>
import { startBftLedger } from "../../deploy/bft/ledger.ts";

const [, , folder = "", kind] = process.argv;
const { rpcUrls } = await startBftLedger({ folder, funded: [], isolated: kind === "isolated" });
process.stdout.write(`${JSON.stringify(rpcUrls)}\n`);
