// The names that alerts and dashboards may use, by the program that tells them. A relay's are read from its own registry
// in the tests; those of the others are listed here with the page that documents them.

const BESU_METRICS =
  "https://github.com/hyperledger/besu-docs/blob/225a452f036fe709ad48137db7ddf8b7d1fa0bb1/docs/public-networks/how-to/monitor/metrics.md";
const WEB3SIGNER_METRICS = "https://docs.web3signer.consensys.io/how-to/monitor/metrics";
const NODE_EXPORTER = "https://github.com/prometheus/node_exporter/blob/master/collector/filesystem_common.go";
const PROMETHEUS = "https://prometheus.io/docs/concepts/jobs_instances/";

/** Besu tells nothing of its rounds of consensus: a round change is seen by the age of the head and the rate of blocks. */
export const DOCUMENTED_METRICS: ReadonlyMap<string, string> = new Map([
  ["besu_blockchain_chain_head_gas_limit", BESU_METRICS],
  ["besu_blockchain_chain_head_gas_used", BESU_METRICS],
  // UTC seconds, as the block's header has it.
  ["besu_blockchain_chain_head_timestamp", BESU_METRICS],
  ["besu_blockchain_chain_head_transaction_count", BESU_METRICS],
  ["besu_peers_disconnected_total", BESU_METRICS],
  ["besu_synchronizer_in_sync", BESU_METRICS],
  // Of the pool that is configured, SEQUENCED; the layered one tells other names.
  ["besu_transaction_pool_transactions", BESU_METRICS],
  ["ethereum_blockchain_height", BESU_METRICS],
  ["ethereum_peer_count", BESU_METRICS],
  ["process_open_fds", BESU_METRICS],
  ["process_cpu_seconds_total", BESU_METRICS],
  // Documented as signers_loaded_count and secp256k1_signing_duration, to which the category signing is put in front.
  ["signing_signers_loaded_count", WEB3SIGNER_METRICS],
  ["signing_secp256k1_signing_duration_count", WEB3SIGNER_METRICS],
  ["node_filesystem_avail_bytes", NODE_EXPORTER],
  ["node_filesystem_size_bytes", NODE_EXPORTER],
  ["up", PROMETHEUS],
]);
