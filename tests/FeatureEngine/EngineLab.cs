using System.Buffers;
using CsCheck;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.FeatureEngine.Tests;

/// <summary>A small world for engine tests: one source with a column of every type, views over it, random logs.</summary>
internal static class EngineLab
{
    public static readonly EventSchema Schema = new("lab.Event",
    [
        new("at", FieldType.Timestamp, false), new("k", FieldType.String, true), new("x", FieldType.Float64, true), new("n", FieldType.Int64, true),
        new("b", FieldType.Boolean, true), new("s", FieldType.String, true), new("u", FieldType.Timestamp, true),
    ]);

    public static readonly SourceDefinition Source = new()
    {
        Name = "lab",
        Topic = "lab",
        AvroSchema = "{}",
        Schema = Schema,
        EventTimeField = "at",
        KeyFields = ["k"],
    };

    private static readonly Aggregation[] All =
    [
        new("count"), new("count", "s"), new("sum", "x"), new("sum", "n"), new("mean", "x"), new("mean", "b"), new("min", "x"), new("max", "x"),
        new("min", "n"), new("max", "u"), new("min", "s"), new("max", "s"), new("variance", "x"), new("variance_pop", "n"), new("stddev", "x"), new("stddev_pop", "x"),
        new("first", "x"), new("last", "x"), new("first", "s"), new("last", "s"), new("last", "b"), new("last_k", "n", 3), new("last_k", "s", 2),
        new("count_distinct", "s", 3), new("count_distinct", "x", 100), new("time_since_last"), new("time_since_last", "x"),
    ];

    /// <summary>The most common tile, which the engine treats apart.</summary>
    public static readonly Aggregation[] Statistics = [new("count"), new("sum", "x"), new("mean", "x"), new("min", "x"), new("max", "x")];

    public static ViewDefinition View(IEnumerable<string> windows, IEnumerable<Aggregation>? aggregations = null, TimeSpan? lateness = null, TimeSpan? hop = null, TimeSpan? idle = null) => new()
    {
        Name = "v",
        Source = "lab",
        Entity = "k",
        KeyFields = ["k"],
        AllowedLateness = lateness ?? TimeSpan.FromSeconds(20),
        Hop = hop,
        IdleLimit = idle,
        Features = [.. windows.SelectMany(w => (aggregations ?? All).Select(a => Feature(a, w)))],
    };

    public static FeatureDefinition Feature(Aggregation aggregation, string window)
    {
        WindowDefinition definition = window == "lifetime" ? new LifetimeWindow() : Durations.TryParse(window, out var length) ? new TrailingWindow(length) : throw new ArgumentException(window);
        return new FeatureDefinition($"{aggregation.Function}_{aggregation.Column}_{window}", aggregation, definition);
    }

    /// <summary>Random logs: a few entities, times that jump forward and come late, ties, nulls, NaN, infinities and -0.</summary>
    public static readonly Gen<NaiveEvent[]> Log =
        Gen.Select(
            Gen.Frequency((8, Gen.Long[0, 3_000_000]), (3, Gen.Long[-60_000_000, 0]), (1, Gen.Long[0, 400_000_000]), (2, Gen.Const(0L))),
            Gen.Frequency((9, OneOf<string?>("a", "b")), (1, Gen.Const((string?)null))),
            Gen.Frequency((7, Gen.Double[-1e6, 1e6].Select(d => (object?)d)), (1, OneOf<object?>(null, double.NaN, -0.0, 0.0, 1e300, double.PositiveInfinity))),
            Gen.Frequency((7, Gen.Long[-5, 5].Select(n => (object?)n)), (1, OneOf<object?>(null, long.MaxValue))),
            OneOf<object?>(true, false, null),
            OneOf<object?>("", "x", "yy", "zzz", "žluť", null),
            Gen.Long[1, 3]).Array[0, 60].Select(steps =>
            {
                long now = 1_000_000_000_000, offset = 0, watermark = long.MinValue;
                return steps.Select(step =>
                {
                    var (jump, key, x, n, b, s, gap) = step;
                    var at = now + jump;
                    now = Math.Max(now, at);
                    offset += gap;
                    var e = new NaiveEvent(offset, at, watermark, key, new Dictionary<string, object?>(StringComparer.Ordinal) { ["k"] = key, ["x"] = x, ["n"] = n, ["b"] = b, ["s"] = s, ["u"] = at });
                    watermark = Math.Max(watermark, at);
                    return e;
                }).ToArray();
            });

    public static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    /// <summary>A row's values, null but for those named.</summary>
    public static Dictionary<string, object?> Row(string? key, double? x = null, long? n = null) =>
        new(StringComparer.Ordinal) { ["k"] = key, ["x"] = x, ["n"] = n, ["b"] = null, ["s"] = null, ["u"] = null };

    public static EventBatch Batch(IEnumerable<NaiveEvent> events)
    {
        var batch = new EventBatch(Schema, 4);
        foreach (var e in events)
        {
            var row = batch.NextRow();
            batch.Offsets[row] = e.Offset;
            batch.EventTimesUs[row] = e.EventTimeUs;
            batch.WatermarksUs[row] = e.WatermarkUs;
            for (var c = 0; c < Schema.Fields.Count; c++)
                Set(batch, batch.Columns[c], row, Schema.Fields[c].Name == "at" ? e.EventTimeUs : e.Values[Schema.Fields[c].Name]);
            batch.Count++;
        }

        return batch;
    }

    public static List<RowOutcome> Apply(ViewStates states, IReadOnlyList<NaiveEvent> events)
    {
        var input = new ViewInput(states.Program, Schema);
        var batch = Batch(events);
        input.Bind(batch);
        var ids = new int[batch.Count];
        states.InternBatch(input, 0, batch.Count, ids);
        var outcomes = new RowOutcome[batch.Count];
        states.Apply(input, 0, batch.Count, ids, outcomes);
        return [.. outcomes];
    }

    public static List<object?> Values(ViewProgram program, FeatureRow row) => [.. program.Outputs.Select((o, i) => Plain(row, i, o.Type))];

    public static byte[] Encode(ViewStates states, string key)
    {
        var writer = new ArrayBufferWriter<byte>();
        if (states.TryFind(System.Text.Encoding.UTF8.GetBytes(key), out var id))
            states.Encode(id, writer);
        return writer.WrittenSpan.ToArray();
    }

    private static object? Plain(FeatureRow row, int column, FieldType type) => type == FieldType.Timestamp && row.Valid[column] != 0 ? row.Lanes[column] : row.Get(column, type);

    private static void Set(EventBatch batch, EventColumn column, int row, object? value)
    {
        switch (value)
        {
            case null: column.SetNull(row); break;
            case double d: column.Set(row, d); break;
            case long n: column.Set(row, n); break;
            case bool b: column.Set(row, b ? 1L : 0L); break;
            case string s: column.Set(row, batch.Arena.Append(s)); break;
            default: throw new InvalidOperationException($"{value}");
        }
    }
}
