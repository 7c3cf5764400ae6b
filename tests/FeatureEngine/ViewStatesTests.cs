using System.Text;
using CsCheck;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Features;

namespace StreamMl.FeatureEngine.Tests;

public sealed class ViewStatesTests
{
    internal static readonly ViewDefinition[] Views =
    [
        EngineLab.View(["5s", "1m", "5m"]),
        EngineLab.View(["30s", "lifetime"]),
        EngineLab.View(["lifetime"], idle: TimeSpan.FromMinutes(2)),
        EngineLab.View(["1m", "7m"], lateness: TimeSpan.Zero, hop: TimeSpan.FromSeconds(15)),
        EngineLab.View(["5s", "5m", "15m", "2h", "lifetime"], EngineLab.Statistics), // levels that keep the same, so that open tiles are shared
        EngineLab.View(["1m", "5m", "15m", "2h"], EngineLab.Statistics, lateness: TimeSpan.Zero),
        MixedLevels(),
    ];

    private static readonly Gen<(ViewDefinition View, NaiveEvent[] Log, long AskedBack, int[] Cuts)> Cases =
        Gen.Select(EngineLab.OneOf(Views), EngineLab.Log, Gen.Long[-30_000_000, 300_000_000], Gen.Int[1, 7].Array[1, 20]);

    [Fact]
    public void Read_AnyLog_EqualsNaiveRecomputation() => Cases.Sample(
        c =>
        {
            var program = ViewProgram.Compile(c.View, EngineLab.Source);
            using var states = new ViewStates(program);
            EngineLab.Apply(states, c.Log);
            foreach (var key in new[] { "a", "b", "never" })
                CheckReads(program, states, c.View, c.Log, key, c.AskedBack);
        },
        iter: 3_000);

    [Fact]
    public void Encode_AnyCutsReloadsAndRestarts_GivesTheSameBytes() => Cases.Sample(
        c =>
        {
            var program = ViewProgram.Compile(c.View, EngineLab.Source);
            using var straight = new ViewStates(program);
            EngineLab.Apply(straight, c.Log);
            var stored = new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["a"] = [], ["b"] = [] };
            var at = 0;
            for (var i = 0; at < c.Log.Length; i++)
            {
                using var restarted = new ViewStates(program);
                foreach (var (key, state) in stored)
                    restarted.Load(restarted.Intern(Encoding.UTF8.GetBytes(key)), state);
                var take = Math.Min(c.Cuts[i % c.Cuts.Length], c.Log.Length - at);
                EngineLab.Apply(restarted, c.Log[at..(at + take)]);
                at += take;
                foreach (var key in stored.Keys.ToList())
                    stored[key] = EngineLab.Encode(restarted, key);
            }

            foreach (var (key, state) in stored)
                state.ShouldBe(EngineLab.Encode(straight, key), $"entity {key}");
        },
        iter: 1_000);

    [Fact]
    public void Apply_AnyLog_CountsLateRowsAsTheNaiveRuleDoes() => Cases.Sample(
        c =>
        {
            using var states = new ViewStates(ViewProgram.Compile(c.View, EngineLab.Source));
            var outcomes = EngineLab.Apply(states, c.Log);
            var naive = new NaiveView(c.View);
            for (var i = 0; i < c.Log.Length; i++)
            {
                var e = c.Log[i];
                var expected = e.Key is null ? RowOutcome.Filtered
                    : naive.IsLate([.. c.Log[..i].Where(b => b.Key == e.Key)], e) ? RowOutcome.Late : RowOutcome.Applied;
                outcomes[i].ShouldBe(expected, $"row {i}");
            }
        },
        iter: 500);

    [Fact]
    public void Read_SameEventsInAnotherWindowLater_DecaysWithTheClockAlone()
    {
        var view = EngineLab.View(["1m"], [new("count")]);
        using var states = new ViewStates(ViewProgram.Compile(view, EngineLab.Source));
        EngineLab.Apply(states, [Event(1, 0, "a"), Event(2, 10, "a")]);
        var row = new FeatureRow(1);
        states.TryFind("a"u8, out var id).ShouldBeTrue();
        states.Read(id, Seconds(10), long.MinValue, row, 0);
        row.Lanes[0].ShouldBe(2);
        states.Read(id, Seconds(65), long.MinValue, row, 0);
        row.Lanes[0].ShouldBe(1);
        states.Read(id, Seconds(3600), long.MinValue, row, 0);
        row.Lanes[0].ShouldBe(0);
    }

    [Fact]
    public void Read_EventExactlyAtTheWindowsStart_IsCounted()
    {
        var view = EngineLab.View(["1m"], [new("count")]);
        using var states = new ViewStates(ViewProgram.Compile(view, EngineLab.Source));
        EngineLab.Apply(states, [Event(1, 40, "a")]);
        var row = new FeatureRow(1);
        states.Read(0, Seconds(100), long.MinValue, row, 0);
        row.Lanes[0].ShouldBe(1);
        states.Read(0, Seconds(101), long.MinValue, row, 0);
        row.Lanes[0].ShouldBe(0);
    }

    [Fact]
    public void Read_SumAfterAHugeValueLeft_IsExact()
    {
        var view = EngineLab.View(["5s"], [new("sum", "x")]);
        using var states = new ViewStates(ViewProgram.Compile(view, EngineLab.Source));
        EngineLab.Apply(states, [Event(1, 0, "a", 1e17), Event(2, 100, "a", 0.25)]);
        var row = new FeatureRow(1);
        states.Read(0, Seconds(100), long.MinValue, row, 0);
        BitConverter.Int64BitsToDouble(row.Lanes[0]).ShouldBe(0.25);
    }

    [Fact]
    public void Load_BytesOfAnotherView_IsRefusedWithTheRemedy()
    {
        using var states = new ViewStates(ViewProgram.Compile(Views[0], EngineLab.Source));
        var id = states.Intern("a"u8);
        Should.Throw<FormatException>(() => states.Load(id, [9, 1, 2])).Message.ShouldContain("Rebuild");
    }

    /// <summary>Some neighbouring levels keep the same and some do not.</summary>
    private static ViewDefinition MixedLevels()
    {
        var fixedSize = EngineLab.View(["5s", "5m"], [new("count"), new("mean", "x"), new("stddev", "x"), new("last", "n"), new("time_since_last")]);
        var text = EngineLab.View(["15m"], [new("last", "s"), new("max", "x")]);
        return fixedSize with { Features = [.. fixedSize.Features, .. text.Features, .. EngineLab.View(["2h", "lifetime"], EngineLab.Statistics).Features] };
    }

    private static void CheckReads(ViewProgram program, ViewStates states, ViewDefinition view, NaiveEvent[] log, string key, long askedBack)
    {
        var own = log.Where(e => e.Key == key).ToList();
        var watermark = log.Length == 0 ? long.MinValue : log.Max(e => e.EventTimeUs);
        var asOf = 1_000_000_000_000 + askedBack;
        var expected = new NaiveView(view).Read(own, asOf, watermark);
        var stored = new FeatureRow(program.Outputs.Count);
        StateReader.Read(program, EngineLab.Encode(states, key), asOf, watermark, stored, 0);
        var got = EngineLab.Values(program, stored);
        for (var i = 0; i < expected.Count; i++)
            Same(got[i], expected[i]).ShouldBeTrue($"{program.Outputs[i].Name} of {key}: got {got[i] ?? "null"}, the oracle has {expected[i] ?? "null"}");
        if (!states.TryFind(Encoding.UTF8.GetBytes(key), out var id))
            return;
        var memory = new FeatureRow(program.Outputs.Count);
        states.Read(id, asOf, watermark, memory, 0);
        EngineLab.Values(program, memory).ShouldBe(got);
    }

    private static bool Same(object? a, object? b) => a is double x && b is double y
        ? BitConverter.DoubleToInt64Bits(x) == BitConverter.DoubleToInt64Bits(double.IsNaN(y) ? double.NaN : y) || (double.IsNaN(x) && double.IsNaN(y))
        : Equals(a, b);

    private static long Seconds(long s) => s * 1_000_000;

    private static NaiveEvent Event(long offset, long atSeconds, string key, double? x = null) =>
        new(offset, Seconds(atSeconds), long.MinValue, key, EngineLab.Row(key, x));
}
