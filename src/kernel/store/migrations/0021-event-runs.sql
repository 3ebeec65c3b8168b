-- Events that were told of the transfers of a batch together are one row, a run; see docs/adr/0051-runs-of-events.md. Each
-- row that there is already is one event.
ALTER TABLE events ALTER COLUMN seq DROP IDENTITY;
ALTER TABLE events
  -- How many events it is. `seq` is the number of the last one, and the others have those before it.
  ADD COLUMN size integer NOT NULL DEFAULT 1,
  -- Of a run: whom its events are about, in their order. One event alone has its `uetr`.
  ADD COLUMN uetrs uuid[],
  -- Of a run: what each event has beside `data`, as a list in their order; null where that is nothing.
  ADD COLUMN own jsonb;
CREATE INDEX events_of_batch ON events (batch, type) WHERE uetrs IS NOT NULL;

-- Who adds to a feed has it alone from here to the end of the transaction.
CREATE FUNCTION open_own_feed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM open_feed(TG_TABLE_NAME::text);
  RETURN NULL;
END
$$;
CREATE TRIGGER events_opened BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION open_own_feed();
CREATE TRIGGER audit_log_opened BEFORE INSERT ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION open_own_feed();

-- The feed is open, so that all events before are seen here. Numbers are given by nobody else.
CREATE FUNCTION number_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.size := coalesce(cardinality(NEW.uetrs), 1);
  NEW.seq := coalesce(NEW.seq, (SELECT max(e.seq) FROM events e) + NEW.size, NEW.size);
  RETURN NEW;
END
$$;
CREATE TRIGGER events_numbered BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION number_events();
