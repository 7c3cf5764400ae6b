-- Count, sum and mean by ASOF joins on prefix sums. Max by tiles: a window over the closed hops (those of events and of reads), and the running
-- max of the open hop, which the ASOF join finds as well.
CREATE TEMP TABLE prefixes AS
SELECT entity, t, row_number() OVER w AS n, sum(amount) OVER w AS s,
       max(amount) OVER (PARTITION BY entity, t // 60000000 ORDER BY t ROWS UNBOUNDED PRECEDING) AS x1,
       max(amount) OVER (PARTITION BY entity, t // 3600000000 ORDER BY t ROWS UNBOUNDED PRECEDING) AS x2,
       max(amount) OVER (PARTITION BY entity, t // 21600000000 ORDER BY t ROWS UNBOUNDED PRECEDING) AS x3
FROM events WINDOW w AS (PARTITION BY entity ORDER BY t ROWS UNBOUNDED PRECEDING);
CREATE TEMP TABLE closed_1h AS
SELECT entity, tile, x FROM (
  SELECT entity, tile, any_value(is_read) AS is_read, max(max(amount)) OVER (PARTITION BY entity ORDER BY tile RANGE BETWEEN 60 PRECEDING AND 1 PRECEDING) AS x
  FROM (SELECT entity, t // 60000000 AS tile, amount, NULL::BOOLEAN AS is_read FROM events UNION ALL SELECT entity, t // 60000000, NULL, true FROM spine) GROUP BY entity, tile)
WHERE is_read;
CREATE TEMP TABLE closed_24h AS
SELECT entity, tile, x FROM (
  SELECT entity, tile, any_value(is_read) AS is_read, max(max(amount)) OVER (PARTITION BY entity ORDER BY tile RANGE BETWEEN 24 PRECEDING AND 1 PRECEDING) AS x
  FROM (SELECT entity, t // 3600000000 AS tile, amount, NULL::BOOLEAN AS is_read FROM events UNION ALL SELECT entity, t // 3600000000, NULL, true FROM spine) GROUP BY entity, tile)
WHERE is_read;
CREATE TEMP TABLE closed_7d AS
SELECT entity, tile, x FROM (
  SELECT entity, tile, any_value(is_read) AS is_read, max(max(amount)) OVER (PARTITION BY entity ORDER BY tile RANGE BETWEEN 28 PRECEDING AND 1 PRECEDING) AS x
  FROM (SELECT entity, t // 21600000000 AS tile, amount, NULL::BOOLEAN AS is_read FROM events UNION ALL SELECT entity, t // 21600000000, NULL, true FROM spine) GROUP BY entity, tile)
WHERE is_read;
COPY (
  SELECT q."row",
         n - n1 AS n_1h, s - s1 AS s_1h, (s - s1) / (n - n1) AS m_1h, greatest(k1.x, open_1h) AS x_1h,
         n - n2 AS n_24h, s - s2 AS s_24h, (s - s2) / (n - n2) AS m_24h, greatest(k2.x, open_24h) AS x_24h,
         n - n3 AS n_7d, s - s3 AS s_7d, (s - s3) / (n - n3) AS m_7d, greatest(k3.x, open_7d) AS x_7d
  FROM (
    SELECT r."row", r.entity, r.t, coalesce(z.n, 0) AS n, coalesce(z.s, 0) AS s, coalesce(a.n, 0) AS n1, coalesce(a.s, 0) AS s1,
           coalesce(b.n, 0) AS n2, coalesce(b.s, 0) AS s2, coalesce(c.n, 0) AS n3, coalesce(c.s, 0) AS s3,
           CASE WHEN z.t // 60000000 = r.t // 60000000 THEN z.x1 END AS open_1h,
           CASE WHEN z.t // 3600000000 = r.t // 3600000000 THEN z.x2 END AS open_24h,
           CASE WHEN z.t // 21600000000 = r.t // 21600000000 THEN z.x3 END AS open_7d
    FROM spine r
    ASOF LEFT JOIN prefixes z ON r.entity = z.entity AND r.t >= z.t
    ASOF LEFT JOIN prefixes a ON r.entity = a.entity AND r.from_1h > a.t
    ASOF LEFT JOIN prefixes b ON r.entity = b.entity AND r.from_24h > b.t
    ASOF LEFT JOIN prefixes c ON r.entity = c.entity AND r.from_7d > c.t) q
  JOIN closed_1h k1 ON k1.entity = q.entity AND k1.tile = q.t // 60000000
  JOIN closed_24h k2 ON k2.entity = q.entity AND k2.tile = q.t // 3600000000
  JOIN closed_7d k3 ON k3.entity = q.entity AND k3.tile = q.t // 21600000000
) TO '{out}' (FORMAT PARQUET);
