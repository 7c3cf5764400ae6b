using DuckDB.NET.Data;
using StreamMl.Shared.Events;

namespace StreamMl.Benchmarks.Tiles;

/// <summary>DuckDB's group-by of one level over the same events in a table in memory, on one thread: text keys, and integers that stand for them.</summary>
internal sealed class DuckDbGroupBy : IDisposable
{
    private readonly DuckDBConnection connection = new("DataSource=:memory:");

    public DuckDbGroupBy(List<EventBatch> batches)
    {
        connection.Open();
        Execute("SET threads = 1");
        Execute("CREATE TABLE events (entity VARCHAR, event_time BIGINT, amount DOUBLE)");
        using (var appender = connection.CreateAppender("events"))
        {
            foreach (var batch in batches)
            {
                for (var i = 0; i < batch.Count; i++)
                    appender.CreateRow().AppendValue(batch.Arena.GetString(batch.Columns[0].Lanes[i])).AppendValue(batch.EventTimesUs[i]).AppendValue(batch.Columns[1].Doubles[i]).EndRow();
            }
        }

        Execute("CREATE TABLE numbered AS SELECT hash(entity) AS entity, event_time, amount FROM events");
    }

    /// <summary>CPU seconds.</summary>
    public double MeasureTextKey() => Measure("events");

    /// <summary>CPU seconds.</summary>
    public double MeasureIntegerKey() => Measure("numbered");

    public void Dispose() => connection.Dispose();

    private double Measure(string table)
    {
        Execute("DROP TABLE IF EXISTS grouped"); // what freeing the last result costs is nobody's
        var before = TileUpdateBenchmark.Cpu();
        Execute($"CREATE TABLE grouped AS SELECT entity, event_time // 3600000000 AS tile, count(*), sum(amount), avg(amount), min(amount), max(amount) FROM {table} GROUP BY ALL");
        return TileUpdateBenchmark.Cpu() - before;
    }

    private void Execute(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
