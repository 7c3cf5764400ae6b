-- What all formulations share. Windows are the product's: from the start of the hop that holds t - W (hops 1 min, 1 h, 6 h), up to and with t.
CREATE TEMP VIEW events AS SELECT entity, epoch_us("time") AS t, amount FROM read_parquet('{events}');
CREATE TEMP VIEW spine AS
SELECT "row", entity, epoch_us("time") AS t,
       (t - 3600000000) // 60000000 * 60000000 AS from_1h,
       (t - 86400000000) // 3600000000 * 3600000000 AS from_24h,
       (t - 604800000000) // 21600000000 * 21600000000 AS from_7d
FROM read_parquet('{spine}');
