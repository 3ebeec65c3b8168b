-- How the orders of this partner's own customers ended where the ledger does not tell it: what GET /v1/stats/orders adds to
-- success_sums. Kept by the triggers below, and by who records that customers were credited.
CREATE TABLE order_sums (
  -- UTC days since 1970-01-01: of the block in which its batch was opened for what was credited, of the relay's clock for
  -- what never came onto the ledger.
  day     integer NOT NULL,
  -- 0 for what was refused: a submission need not say it.
  target  integer NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('credited', 'failed', 'cancelled', 'refused')),
  -- Of a failure the ISO 20022 reason, of a refusal the problem that was answered; empty where there is none.
  reason  text NOT NULL,
  orders  bigint NOT NULL,
  PRIMARY KEY (day, target, outcome, reason)
);

-- Of those that had not ended until now. Every transaction takes the rows in one order, so that none waits for another that
-- waits for it.
CREATE FUNCTION count_given_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO order_sums AS s
  SELECT (e.ended_at / 86400000)::integer, e.target, e.ended, coalesce(e.ended_reason, ''), count(*)
  FROM entered e JOIN gone g ON g.seq = e.seq AND g.ended IS NULL
  WHERE e.ended IS NOT NULL
  GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
  ON CONFLICT (day, target, outcome, reason) DO UPDATE SET orders = s.orders + excluded.orders;
  RETURN NULL;
END
$$;

CREATE FUNCTION count_refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO order_sums AS s
  SELECT (e.refused_at / 86400000)::integer, 0, 'refused', coalesce(e.refusal->>'code', ''), count(*)
  FROM entered e
  GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
  ON CONFLICT (day, target, outcome, reason) DO UPDATE SET orders = s.orders + excluded.orders;
  RETURN NULL;
END
$$;

CREATE TRIGGER transfers_given_up AFTER UPDATE ON transfers
  REFERENCING OLD TABLE AS gone NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION count_given_up();
CREATE TRIGGER refusals_inserted AFTER INSERT ON refusals
  REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION count_refused();

INSERT INTO order_sums
SELECT (ended_at / 86400000)::integer, target, ended, coalesce(ended_reason, ''), count(*)
FROM transfers WHERE ended IS NOT NULL GROUP BY 1, 2, 3, 4
UNION ALL
SELECT (refused_at / 86400000)::integer, 0, 'refused', coalesce(refusal->>'code', ''), count(*)
FROM refusals GROUP BY 1, 2, 3, 4
UNION ALL
SELECT (l.opened_time_s / 86400)::integer, l.target, 'credited', '', count(*)
FROM ledger_batches l JOIN batch_ranges r ON r.batch = l.id
  JOIN transfers t ON t.seq BETWEEN r.first_seq AND r.last_seq JOIN confirmations c ON c.uetr = t.uetr
GROUP BY 1, 2;
