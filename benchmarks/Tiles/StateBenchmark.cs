using System.Buffers;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Shared.Log;

namespace StreamMl.Benchmarks.Tiles;

/// <summary>What surrounds the tile update: encoding, loading and reading states, and the backfill's loop over one entity at a time. CPU time.</summary>
internal static class StateBenchmark
{
    private const int Batches = 16;
    private const int Runs = 8; // the best is told: the first ones are compiled on the way

    public static void Run(ViewProgram program, List<EventBatch> all)
    {
        var batches = all.Take(Batches).ToList();
        using var states = new ViewStates(program);
        var input = new ViewInput(program, batches[0].Schema);
        var asOfUs = Fill(states, input, batches);
        var (bytes, ends) = Encode(states);
        Load(program, states, bytes, ends);
        Read(program, bytes, ends, asOfUs);
        Replay(program, batches, rowsPerRead: 1);
        Replay(program, batches, rowsPerRead: 10);
    }

    private static long Fill(ViewStates states, ViewInput input, List<EventBatch> batches)
    {
        var ids = new int[batches[0].Count];
        var outcomes = new RowOutcome[batches[0].Count];
        foreach (var batch in batches)
        {
            input.Bind(batch);
            states.InternBatch(input, 0, batch.Count, ids);
            states.Apply(input, 0, batch.Count, ids, outcomes);
        }

        return batches[^1].WatermarksUs[batches[^1].Count - 1];
    }

    private static (ReadOnlyMemory<byte> Bytes, int[] Ends) Encode(ViewStates states)
    {
        var output = new ArrayBufferWriter<byte>();
        var ends = new int[states.Count];
        var best = double.MaxValue;
        for (var run = 0; run < Runs; run++)
        {
            output.ResetWrittenCount();
            var before = TileUpdateBenchmark.Cpu();
            for (var id = 0; id < states.Count; id++)
            {
                states.Encode(id, output);
                ends[id] = output.WrittenCount;
            }

            best = Math.Min(best, TileUpdateBenchmark.Cpu() - before);
        }

        Say("encode", best, states.Count, $"{output.WrittenCount / states.Count:N0} B a state");

        return (output.WrittenMemory, ends);
    }

    private static void Load(ViewProgram program, ViewStates from, ReadOnlyMemory<byte> bytes, int[] ends)
    {
        using var states = new ViewStates(program);
        for (var id = 0; id < ends.Length; id++)
            states.Intern(from.KeyOf(id));
        var best = double.MaxValue;
        for (var run = 0; run < Runs; run++)
        {
            var before = TileUpdateBenchmark.Cpu();
            for (var id = 0; id < ends.Length; id++)
                states.Load(id, StateOf(bytes, ends, id));
            best = Math.Min(best, TileUpdateBenchmark.Cpu() - before);
        }

        Say("load", best, ends.Length, "into entities that had a state");
    }

    private static void Read(ViewProgram program, ReadOnlyMemory<byte> bytes, int[] ends, long asOfUs)
    {
        var row = new FeatureRow(program.Outputs.Count);
        var best = double.MaxValue;
        for (var run = 0; run < Runs; run++)
        {
            var before = TileUpdateBenchmark.Cpu();
            for (var id = 0; id < ends.Length; id++)
                StateReader.Read(program, StateOf(bytes, ends, id), asOfUs, PositionRecord.None, row, 0);
            best = Math.Min(best, TileUpdateBenchmark.Cpu() - before);
        }

        Say("read of stored bytes", best, ends.Length, $"{program.Outputs.Count} values over 5 windows");
    }

    /// <summary>All rows by entity, through one state: some rows, a read, and so on; a reset where the entity changes.</summary>
    private static void Replay(ViewProgram program, List<EventBatch> batches, int rowsPerRead)
    {
        var (rows, starts) = ByEntity(batches);
        var input = new ViewInput(program, rows.Schema);
        input.Bind(rows);
        using var states = new ViewStates(program);
        var id = states.Intern([]);
        var outcomes = new RowOutcome[rows.Count];
        var into = new FeatureRow(program.Outputs.Count);
        var best = double.MaxValue;
        var reads = 0;
        for (var run = 0; run < Runs; run++)
        {
            reads = 0;
            var before = TileUpdateBenchmark.Cpu();
            for (var e = 0; e + 1 < starts.Count; e++)
            {
                for (var from = starts[e]; from < starts[e + 1]; from += rowsPerRead, reads++)
                {
                    var to = Math.Min(from + rowsPerRead, starts[e + 1]);
                    states.Apply(input, from, to, id, outcomes);
                    states.Read(id, rows.EventTimesUs[to - 1], PositionRecord.None, into, 0);
                }

                states.Reset(id);
            }

            best = Math.Min(best, TileUpdateBenchmark.Cpu() - before);
        }

        Say($"replay, a read every {rowsPerRead} rows", best, rows.Count, $"an event; {reads:N0} reads, {starts.Count - 1:N0} resets");
    }

    private static (EventBatch Rows, List<int> Starts) ByEntity(List<EventBatch> batches)
    {
        var rows = new EventBatch(batches[0].Schema, batches.Sum(b => b.Count));
        var starts = new List<int>();
        var all = batches.SelectMany(b => Enumerable.Range(0, b.Count).Select(i => (Batch: b, Row: i, Key: b.Arena.GetString(b.Columns[0].Lanes[i]))));
        foreach (var entity in all.GroupBy(r => r.Key))
        {
            starts.Add(rows.Count);
            foreach (var (batch, row, _) in entity)
            {
                var at = rows.NextRow();
                rows.Offsets[at] = batch.Offsets[row];
                rows.EventTimesUs[at] = batch.EventTimesUs[row];
                rows.WatermarksUs[at] = PositionRecord.None;
                rows.Columns[0].Set(at, rows.Arena.Append(entity.Key));
                rows.Columns[1].Set(at, batch.Columns[1].Lanes[row]);
                rows.Count++;
            }
        }

        starts.Add(rows.Count);
        return (rows, starts);
    }

    private static ReadOnlySpan<byte> StateOf(ReadOnlyMemory<byte> bytes, int[] ends, int id)
    {
        var start = id == 0 ? 0 : ends[id - 1];
        return bytes.Span[start..ends[id]];
    }

    private static void Say(string what, double seconds, int count, string note) =>
        Console.WriteLine($"  {what}: {seconds * 1e9 / count:F0} ns ({note})");
}
