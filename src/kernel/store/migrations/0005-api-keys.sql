-- Whose place a key took. Two rotations of one key at the same moment make one successor.
ALTER TABLE api_keys
  ADD COLUMN rotated_from text REFERENCES api_keys (id),
  ADD CONSTRAINT api_keys_one_successor UNIQUE (rotated_from);
