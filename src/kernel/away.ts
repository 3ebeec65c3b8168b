/** Where a database, a ledger or a wallet cannot be reached: Node's codes, PostgreSQL's, ethers' and ours. */
const AWAY =
  /^(?:ECONN(?:REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|08\w{3}|57P0[123]|53300|NETWORK_ERROR|TIMEOUT|SERVER_ERROR|WALLET_UNAVAILABLE|STORE_UNAVAILABLE|LEDGER_(?:UNREACHABLE|UNCONFIRMED|DISPUTED)|UND_ERR_\w+)$/;
const MAX_CAUSES = 5;

/** Whether something that others run did not answer, or not so that it can be relied on: the same again may work. */
export function isAway(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && typeof current === "object" && current !== null; depth++) {
    if ("code" in current && typeof current.code === "string" && AWAY.test(current.code)) return true;
    current = "cause" in current ? current.cause : undefined;
  }
  return false;
}
