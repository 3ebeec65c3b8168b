/** Why an option, or what it is set to, is refused. */
export interface Refusal {
  readonly kind: "removed" | "dangerous";
  readonly reason: string;
  /** What to do in its place. */
  readonly instead: string;
}

/** A value as it was written: TOML's, or the text behind `--option=`. Lists are lists of texts. */
export type OptionValue = string | number | boolean | readonly string[];

interface OptionRule extends Refusal {
  /** In lower case, as environment variables do not tell it. */
  readonly option: RegExp;
  /** Any value where left out. */
  readonly when?: (value: OptionValue) => boolean;
}

const ANY_HOST = /^(?:\*|all|any)$/i;
const REMOVED_APIS = /^(?:EEA|PRIV|GOQUORUM|CLIQUE)$/i;
const DANGEROUS_APIS = /^(?:ADMIN|DEBUG|MINER|PERSONAL|TXPOOL|TRACE|PLUGINS|TESTING|ENGINE|IBFT)$/i;

const hasAnyHost = (value: OptionValue): boolean => texts(value).some((item) => ANY_HOST.test(item));
const isOn = (value: OptionValue): boolean => texts(value).some((item) => item.toLowerCase() === "true");
const isOff = (value: OptionValue): boolean => !isOn(value);
const is =
  (pattern: RegExp) =>
  (value: OptionValue): boolean =>
    texts(value).some((item) => pattern.test(item));

/** Options of Besu that are no more, or that no node of this network may have, in the order in which they are looked at. */
const RULES: readonly OptionRule[] = [
  {
    option: /^permissions-(?:nodes|accounts)-contract-/,
    kind: "removed",
    reason: "permissioning by contracts was removed in Besu 25.6.0",
    instead: "permissions-nodes-config-file and permissions-accounts-config-file, from network.json",
  },
  {
    option: /^x?privacy-/,
    kind: "removed",
    reason: "private transactions (Tessera) were removed in Besu 25.6.0",
    instead: "nothing: no personal data is on this ledger",
  },
  {
    option: /^x?p2p-tls-/,
    kind: "removed",
    reason: "Besu has no TLS between nodes any more; the peer-to-peer protocol encrypts by itself",
    instead: "a private link or a VPN between the members, where one is asked for",
  },
  {
    option: /^x?pki-/,
    kind: "removed",
    reason: "PKI-backed QBFT was removed in Besu 24.7.1",
    instead: "the allow-list of nodes, from network.json",
  },
  {
    option: /^min-block-occupancy-ratio$/,
    kind: "removed",
    reason: "it was removed in Besu 26.8.1, and did nothing since 26.4.0",
    instead: "nothing: leave it out",
  },
  {
    option: /^xmax-tracked-seen-txs-per-peer$/,
    kind: "removed",
    reason: "it was removed in Besu 26.8.1",
    instead: "nothing: leave it out",
  },
  {
    option: /^xsnapsync-synchronizer-pivot-block-distance-before-caching$/,
    kind: "removed",
    reason: "it does nothing since Besu 26.6.1, and is removed after 26.9.0",
    instead: "nothing: leave it out",
  },
  {
    option: /^network$/,
    when: is(/^dev$/i),
    kind: "removed",
    reason: "network=dev was removed in Besu 26.8.1",
    instead: "genesis-file, as it was generated",
  },
  {
    option: /^network$/,
    kind: "dangerous",
    reason: "it names a public network, and Besu takes it or a genesis file, not both",
    instead: "genesis-file and network-id, as they were generated",
  },
  {
    option: /^sync-mode$/,
    when: is(/^(?:FAST|CHECKPOINT|X_SNAP|X_CHECKPOINT)$/i),
    kind: "removed",
    reason: "Besu knows FULL and SNAP only",
    instead: 'sync-mode="FULL"',
  },
  {
    option: /^rpc-(?:http|ws)-apis?$/,
    when: is(REMOVED_APIS),
    kind: "removed",
    reason: "private transactions and Clique are no more, and neither are their APIs",
    instead: "leave EEA, PRIV, GOQUORUM and CLIQUE out",
  },
  {
    option: /^rpc-(?:http|ws)-apis?$/,
    when: is(DANGEROUS_APIS),
    kind: "dangerous",
    reason: "such an API lets a caller administer the node, read its pool, or keep it busy with one request",
    instead: "ETH, NET and WEB3 for relays; QBFT and PERM on the loopback interface only",
  },
  {
    option: /^rpc-http-cors-origins$|^graphql-http-cors-origins$/,
    kind: "dangerous",
    reason: "it lets web pages call the node from a visitor's browser; no part of Feiqian does",
    instead: "leave it out",
  },
  {
    option: /^(?:engine-)?host-allowlist$/,
    when: hasAnyHost,
    kind: "dangerous",
    reason: "any host name opens the node to DNS rebinding",
    instead: "the names it is reached by, as they were generated",
  },
  {
    option: /^discovery-enabled$/,
    when: isOn,
    kind: "dangerous",
    reason: "a permissioned network's peers are known; discovery tells strangers of them",
    instead: "discovery-enabled=false; peers are in static-nodes.json",
  },
  {
    option: /^bootnodes$|^discovery-dns-url$|^discovery-mode$/,
    kind: "dangerous",
    reason: "it is for discovery, which is off",
    instead: "static-nodes.json, from network.json",
  },
  {
    option: /^permissions-(?:nodes|accounts)-config-file-enabled$/,
    when: isOff,
    kind: "dangerous",
    reason: "without its allow-list the node lets anybody in, or lets anybody send",
    instead: "true",
  },
  {
    option: /^min-gas-price$|^tx-pool-min-gas-price$/,
    when: (value) => texts(value).some((item) => !/^0+$/.test(item)),
    kind: "dangerous",
    reason: "the base fee is zero and relays offer nothing: the node would take none of their transactions",
    instead: "min-gas-price=0",
  },
  {
    option: /^tx-pool$/,
    when: (value) => !is(/^SEQUENCED$/i)(value),
    kind: "dangerous",
    reason: "the layered pool sorts by fees, of which there are none; before Besu 26.7.1 it left blocks empty",
    instead: 'tx-pool="SEQUENCED"',
  },
  {
    option: /^tx-pool-max-size$/,
    when: (value) => texts(value).some((item) => !/^\d{1,5}$/.test(item) || item === "0"),
    kind: "dangerous",
    reason: "a pool without a bound takes the node's memory",
    instead: "tx-pool-max-size of up to 99,999",
  },
  {
    option: /^strict-tx-replay-protection-enabled$/,
    when: isOff,
    kind: "dangerous",
    reason: "a transaction that was signed for no chain in particular can be sent again on this one",
    instead: "true",
  },
  {
    option: /^override-genesis-config$/,
    kind: "dangerous",
    reason: "the node would keep other rules than the others, and part from them",
    instead: "a change of network.json that all members agree on",
  },
  {
    option: /^rpc-(?:http|ws)-api-methods?-no-auth$/,
    kind: "dangerous",
    reason: "it lets methods be called without a token",
    instead: "leave it out",
  },
  {
    option: /^graphql-http-enabled$|^xrpc-ipc-enabled$|^engine-rpc-enabled$/,
    when: isOn,
    kind: "dangerous",
    reason: "it opens one more way into the node, which nothing uses",
    instead: "false",
  },
];

/** Why this option with this value is refused; undefined where it is not. */
export function refusalOf(option: string, value: OptionValue): Refusal | undefined {
  const name = option.toLowerCase();
  const found = RULES.find((rule) => rule.option.test(name) && (rule.when?.(value) ?? true));
  if (found === undefined) return undefined;
  const { kind, reason, instead } = found;
  return { kind, reason, instead };
}

/** A value's items as text, of lists and of what is written with commas. */
export function texts(value: OptionValue): readonly string[] {
  const items = typeof value === "object" ? value : String(value).split(",");
  return items.map((item) => item.trim().replaceAll(/^["'[]+|["'\]]+$/g, ""));
}
