-- How many transfers of each corridor and day came onto the ledger, and how they ended: what GET /v1/stats/success tells.
-- Kept by the triggers below and by nothing else, as the watcher writes batches.
CREATE TABLE success_sums (
  -- UTC days since 1970-01-01, of the block in which the batch was opened.
  day             integer NOT NULL,
  source          integer NOT NULL,
  target          integer NOT NULL,
  -- ISO 4217 numeric.
  source_currency integer NOT NULL,
  target_currency integer NOT NULL,
  -- 'opened', how the batch ended, or of each that was rejected the code that was published: 0x and eight digits.
  outcome         text NOT NULL,
  transfers       bigint NOT NULL,
  PRIMARY KEY (day, source, target, source_currency, target_currency, outcome)
);

-- What one batch adds, as src/domain/success.ts says it. What ends after two more days is not counted: by then the day's
-- figures are fixed.
CREATE FUNCTION success_of(source integer, target integer, header jsonb, opened_s bigint, status text, final_s bigint,
  rejected jsonb) RETURNS SETOF success_sums LANGUAGE sql IMMUTABLE AS $$
  SELECT ($4 / 86400)::integer, $1, $2, ($3->>'sourceCurrency')::integer, ($3->>'targetCurrency')::integer, o.outcome,
    o.transfers
  FROM (
    SELECT 'opened' AS outcome, ($3->>'count')::bigint AS transfers
    UNION ALL SELECT $5, ($3->>'count')::bigint - jsonb_array_length($7)
      WHERE $5 <> 'open' AND $6 / 86400 <= $4 / 86400 + 2
    UNION ALL SELECT r->>'code', 1 FROM jsonb_array_elements($7) AS r
      WHERE $5 <> 'open' AND $6 / 86400 <= $4 / 86400 + 2) AS o
  WHERE o.transfers > 0
$$;

CREATE FUNCTION count_opened() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO success_sums AS s
  SELECT o.day, o.source, o.target, o.source_currency, o.target_currency, o.outcome, sum(o.transfers)
  FROM entered e, success_of(e.source, e.target, e.header, e.opened_time_s, e.status, e.final_time_s, e.rejected) AS o
  GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
  ON CONFLICT (day, source, target, source_currency, target_currency, outcome)
    DO UPDATE SET transfers = s.transfers + excluded.transfers;
  RETURN NULL;
END
$$;

-- Of those that were open until now.
CREATE FUNCTION count_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO success_sums AS s
  SELECT o.day, o.source, o.target, o.source_currency, o.target_currency, o.outcome, sum(o.transfers)
  FROM entered e JOIN gone g ON g.id = e.id AND g.status = 'open',
    success_of(e.source, e.target, e.header, e.opened_time_s, e.status, e.final_time_s, e.rejected) AS o
  WHERE o.outcome <> 'opened'
  GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
  ON CONFLICT (day, source, target, source_currency, target_currency, outcome)
    DO UPDATE SET transfers = s.transfers + excluded.transfers;
  RETURN NULL;
END
$$;

CREATE TRIGGER ledger_batches_opened AFTER INSERT ON ledger_batches
  REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION count_opened();
CREATE TRIGGER ledger_batches_ended AFTER UPDATE ON ledger_batches
  REFERENCING OLD TABLE AS gone NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION count_ended();

INSERT INTO success_sums
SELECT o.day, o.source, o.target, o.source_currency, o.target_currency, o.outcome, sum(o.transfers)
FROM ledger_batches b,
  success_of(b.source, b.target, b.header, b.opened_time_s, b.status, b.final_time_s, b.rejected) AS o
GROUP BY 1, 2, 3, 4, 5, 6;
