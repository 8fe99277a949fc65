-- HMAC-SHA256 from sha256() alone, so that Postgres meets the vectors of keyed seals, too. Only for tests: a key in a statement stands in logs.
CREATE FUNCTION keyed_seal(digest BYTEA, kid TEXT, key BYTEA) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE inner_pad BYTEA := decode(repeat('36', 64), 'hex'); outer_pad BYTEA := decode(repeat('5c', 64), 'hex');
BEGIN
  IF kid IS NULL AND key IS NULL THEN RETURN a_hash('what is sealed', digest); END IF;
  IF octet_length(key) IS DISTINCT FROM 32 THEN RETURN refuse('the key of a seal', 'it has 32 bytes'); END IF;
  FOR i IN 0 .. 31 LOOP
    inner_pad := set_byte(inner_pad, i, get_byte(inner_pad, i) # get_byte(key, i));
    outer_pad := set_byte(outer_pad, i, get_byte(outer_pad, i) # get_byte(key, i));
  END LOOP;
  RETURN sha256(outer_pad || sha256(inner_pad || frame('seal', a_text('the name of a key', kid), a_hash('what is sealed', digest))));
END $$;
