// The same twelve features by Polars' rolling, for benchmarks/Backfill/polars.sh. Its windows are exact ([t - W, t]); the product's begin at the hop
// that holds t - W, so values differ by that edge and only the counts' order of magnitude is looked at: the work is the same.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [modules, directory] = process.argv.slice(2);
const pl = createRequire(modules + "/")("nodejs-polars");
const events = pl.readParquet(`${directory}/events.parquet`).withColumn(pl.lit(null).cast(pl.Int64).alias("row")).select("entity", "time", "amount", "row");
const spine = pl.readParquet(`${directory}/spine.parquet`).withColumn(pl.lit(null).cast(pl.Float64).alias("amount")).select("entity", "time", "amount", "row");
const together = pl.concat([events, spine]).sort(["entity", "time"]);
let out = together.select("row");
for (const window of ["1h", "24h", "7d"]) {
  const amount = pl.col("amount");
  const rolled = together.groupByRolling({ indexColumn: "time", by: ["entity"], period: window, closed: "both" })
    .agg(amount.count().alias(`n_${window}`), amount.sum().alias(`s_${window}`), amount.mean().alias(`m_${window}`), amount.max().alias(`x_${window}`));
  out = out.hstack(rolled.select(`n_${window}`, `s_${window}`, `m_${window}`, `x_${window}`));
}
out = out.filter(pl.col("row").isNotNull());
out.writeParquet(`${directory}/polars.parquet`);
const peak = readFileSync("/proc/self/status", "utf8").match(/VmHWM:\s+(\d+)/)[1] / 1024;
const { user, system } = process.cpuUsage();
console.log(`  polars rolling     ${((user + system) / 1e6).toFixed(2).padStart(8)} CPU s ${peak.toFixed(0).padStart(8)} MB; ${out.height} rows`);
