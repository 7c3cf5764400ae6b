-- Count, sum and mean by ASOF joins on prefix sums; max by a window query over events and reads.
CREATE TEMP TABLE prefixes AS
SELECT entity, t, row_number() OVER w AS n, sum(amount) OVER w AS s FROM events
WINDOW w AS (PARTITION BY entity ORDER BY t ROWS UNBOUNDED PRECEDING);
CREATE TEMP TABLE greatest_values AS
WITH together AS (
  SELECT entity, t, amount, NULL::BIGINT AS "row", 0::BIGINT AS back_1h, 0::BIGINT AS back_24h, 0::BIGINT AS back_7d FROM events
  UNION ALL
  SELECT entity, t, NULL, "row", t - from_1h, t - from_24h, t - from_7d FROM spine)
SELECT * FROM (
  SELECT "row",
         max(amount) OVER (PARTITION BY entity ORDER BY t RANGE BETWEEN back_1h PRECEDING AND CURRENT ROW) AS x_1h,
         max(amount) OVER (PARTITION BY entity ORDER BY t RANGE BETWEEN back_24h PRECEDING AND CURRENT ROW) AS x_24h,
         max(amount) OVER (PARTITION BY entity ORDER BY t RANGE BETWEEN back_7d PRECEDING AND CURRENT ROW) AS x_7d
  FROM together) WHERE "row" IS NOT NULL;
COPY (
  SELECT "row",
         n - n1 AS n_1h, s - s1 AS s_1h, (s - s1) / (n - n1) AS m_1h, x_1h,
         n - n2 AS n_24h, s - s2 AS s_24h, (s - s2) / (n - n2) AS m_24h, x_24h,
         n - n3 AS n_7d, s - s3 AS s_7d, (s - s3) / (n - n3) AS m_7d, x_7d
  FROM (
    SELECT r."row", coalesce(z.n, 0) AS n, coalesce(z.s, 0) AS s, coalesce(a.n, 0) AS n1, coalesce(a.s, 0) AS s1,
           coalesce(b.n, 0) AS n2, coalesce(b.s, 0) AS s2, coalesce(c.n, 0) AS n3, coalesce(c.s, 0) AS s3
    FROM spine r
    ASOF LEFT JOIN prefixes z ON r.entity = z.entity AND r.t >= z.t
    ASOF LEFT JOIN prefixes a ON r.entity = a.entity AND r.from_1h > a.t
    ASOF LEFT JOIN prefixes b ON r.entity = b.entity AND r.from_24h > b.t
    ASOF LEFT JOIN prefixes c ON r.entity = c.entity AND r.from_7d > c.t)
  JOIN greatest_values USING ("row")
) TO '{out}' (FORMAT PARQUET);
