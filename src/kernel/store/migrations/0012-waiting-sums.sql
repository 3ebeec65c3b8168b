-- What waits for a batch, in sums: how much that is takes no longer to read where much waits. Kept by the triggers below
-- and by nothing else. A row may be negative: what one connection has counted in, another counts out.
CREATE TABLE waiting_sums (
  -- Of the connection that counts, so that those who do so at once seldom wait for each other.
  shard           integer NOT NULL,
  source_currency text NOT NULL,
  target_currency text NOT NULL,
  -- Whose quote they are priced on; 0 where nothing is exchanged.
  provider        integer NOT NULL,
  transfers       bigint NOT NULL,
  -- With the fees.
  source_minor    numeric(39) NOT NULL,
  target_minor    numeric(39) NOT NULL,
  PRIMARY KEY (shard, source_currency, target_currency, provider)
);

-- Sums that belong to one quote, and are counted in or out.
CREATE TYPE quote_sums AS (
  source_currency text,
  target_currency text,
  provider_quote  bytea,
  transfers       bigint,
  source_minor    numeric,
  target_minor    numeric
);

CREATE FUNCTION add_waiting(changes quote_sums[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO waiting_sums AS w
  SELECT pg_backend_pid() % 64, c.source_currency, c.target_currency, c.provider,
    sum(c.transfers), sum(c.source_minor), sum(c.target_minor)
  FROM (
    SELECT u.*, coalesce((SELECT (q.body->>'provider')::integer FROM provider_quotes q WHERE q.id = u.provider_quote), 0)
      AS provider
    FROM unnest(changes) AS u) AS c
  GROUP BY 2, 3, 4
  HAVING sum(c.transfers) <> 0 OR sum(c.source_minor) <> 0 OR sum(c.target_minor) <> 0
  -- In one order everywhere, so that two of one shard do not wait for each other.
  ORDER BY 2, 3, 4
  ON CONFLICT (shard, source_currency, target_currency, provider) DO UPDATE
    SET transfers = w.transfers + excluded.transfers, source_minor = w.source_minor + excluded.source_minor,
      target_minor = w.target_minor + excluded.target_minor
$$;

CREATE FUNCTION count_waiting_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM add_waiting(ARRAY(
    SELECT (source_currency, target_currency, provider_quote, count(*), sum(source_amount + fee), sum(target_amount))
      ::quote_sums
    FROM entered WHERE batch IS NULL AND ended IS NULL GROUP BY source_currency, target_currency, provider_quote));
  RETURN NULL;
END
$$;

CREATE FUNCTION count_waiting_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM add_waiting(ARRAY(
    SELECT (source_currency, target_currency, provider_quote, -count(*), -sum(source_amount + fee), -sum(target_amount))
      ::quote_sums
    FROM gone WHERE batch IS NULL AND ended IS NULL GROUP BY source_currency, target_currency, provider_quote));
  RETURN NULL;
END
$$;

CREATE FUNCTION count_waiting_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM add_waiting(ARRAY(
    SELECT (source_currency, target_currency, provider_quote, sum(sign), sum(sign * (source_amount + fee)),
      sum(sign * target_amount))::quote_sums
    FROM (
      SELECT 1 AS sign, source_currency, target_currency, provider_quote, source_amount, target_amount, fee
      FROM entered WHERE batch IS NULL AND ended IS NULL
      UNION ALL
      SELECT -1, source_currency, target_currency, provider_quote, source_amount, target_amount, fee
      FROM gone WHERE batch IS NULL AND ended IS NULL) AS moved
    GROUP BY source_currency, target_currency, provider_quote));
  RETURN NULL;
END
$$;

CREATE TRIGGER transfers_inserted AFTER INSERT ON transfers
  REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION count_waiting_in();
CREATE TRIGGER transfers_updated AFTER UPDATE ON transfers
  REFERENCING OLD TABLE AS gone NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION count_waiting_on();
CREATE TRIGGER transfers_deleted AFTER DELETE ON transfers
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_waiting_out();

SELECT add_waiting(ARRAY(
  SELECT (source_currency, target_currency, provider_quote, count(*), sum(source_amount + fee), sum(target_amount))
    ::quote_sums
  FROM transfers WHERE batch IS NULL AND ended IS NULL GROUP BY source_currency, target_currency, provider_quote));
