-- Feeds are tables that readers follow by their numbers: events and audit_log. A database that is restored to an earlier
-- moment gives numbers out again, so what readers keep names the epoch beside the number. An epoch begins with the first
-- row that is written after the database was started anew, restored, copied or promoted: all of them take a start of the
-- server or make the table anew. What readers keep from before it goes on up to `after_seq`, and no further.
CREATE TABLE feed_epochs (
  feed      text NOT NULL CHECK (feed IN ('events', 'audit_log')),
  -- The last number before it.
  after_seq bigint NOT NULL,
  -- Random, so that two copies of one database never begin the same. What was numbered before there were epochs has none.
  epoch     text NOT NULL,
  -- Of which run of which server, and which table, it is.
  place     text NOT NULL,
  began_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (feed, after_seq)
);

-- Comes before rows are added to a feed, in their transaction. Up to its end nobody else can add any, so that numbers
-- become visible in their order. A function, so that what it reads is read after the lock is held.
CREATE FUNCTION open_feed(name text) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  here text;
  head bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(current_schema() || '.' || name, 0));
  here := concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()),
    (SELECT oid FROM pg_database WHERE datname = current_database()), name::regclass::oid,
    pg_relation_filenode(name::regclass));
  IF here IS DISTINCT FROM (SELECT e.place FROM feed_epochs e WHERE e.feed = name ORDER BY e.after_seq DESC LIMIT 1) THEN
    EXECUTE format('SELECT coalesce(max(seq), 0) FROM %I', name) INTO head;
    INSERT INTO feed_epochs (feed, after_seq, epoch, place)
    VALUES (name, head, left(replace(gen_random_uuid()::text, '-', ''), 12), here)
    ON CONFLICT (feed, after_seq) DO UPDATE SET epoch = excluded.epoch, place = excluded.place, began_at = now();
  END IF;
END
$$;
