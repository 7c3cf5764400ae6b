-- One window query over events and reads together: a frame per window, all aggregates of it by segment tree.
COPY (
  WITH together AS (
    SELECT entity, t, amount, NULL::BIGINT AS "row", 0::BIGINT AS back_1h, 0::BIGINT AS back_24h, 0::BIGINT AS back_7d FROM events
    UNION ALL
    SELECT entity, t, NULL, "row", t - from_1h, t - from_24h, t - from_7d FROM spine)
  SELECT "row", n_1h, s_1h, s_1h / n_1h AS m_1h, x_1h, n_24h, s_24h, s_24h / n_24h AS m_24h, x_24h, n_7d, s_7d, s_7d / n_7d AS m_7d, x_7d
  FROM (
    SELECT "row", count(amount) OVER a AS n_1h, sum(amount) OVER a AS s_1h, max(amount) OVER a AS x_1h,
           count(amount) OVER b AS n_24h, sum(amount) OVER b AS s_24h, max(amount) OVER b AS x_24h,
           count(amount) OVER c AS n_7d, sum(amount) OVER c AS s_7d, max(amount) OVER c AS x_7d
    FROM together
    WINDOW a AS (PARTITION BY entity ORDER BY t RANGE BETWEEN back_1h PRECEDING AND CURRENT ROW),
           b AS (PARTITION BY entity ORDER BY t RANGE BETWEEN back_24h PRECEDING AND CURRENT ROW),
           c AS (PARTITION BY entity ORDER BY t RANGE BETWEEN back_7d PRECEDING AND CURRENT ROW))
  WHERE "row" IS NOT NULL
) TO '{out}' (FORMAT PARQUET);
