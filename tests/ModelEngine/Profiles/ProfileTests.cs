using CsCheck;
using StreamMl.ModelEngine.Profiles;
using StreamMl.ModelEngine.Sampling;
using StreamMl.ModelEngine.Steps;
using StreamMl.ModelEngine.Tests.Steps;
using StreamMl.Shared.Events;

namespace StreamMl.ModelEngine.Tests.Profiles;

public sealed class ProfileTests
{
    private static readonly ModelInput[] Inputs =
        [StepsLab.Number("x"), StepsLab.Text("s"), new("flag", FieldType.Boolean, InputOrigin.Request), StepsLab.Time("t")];

    private static readonly Gen<object?[]> AnyRow = Gen.Select(
        Gen.Frequency((1, Gen.Const((object?)null)), (1, Gen.Const((object?)double.NaN)), (5, Gen.Int[-5, 5].Select(i => (object?)i))),
        Gen.Frequency((1, Gen.Const((object?)null)), (5, Gen.Int[0, 5].Select(i => (object?)$"c{i}"))), Gen.Bool).Select((x, s, f) => new[] { x, s, (object?)f, DateTime.UnixEpoch });

    [Fact]
    public void Reference_AnyRows_CountsEveryRowOnce() => AnyRow.Array[1, 50].Sample(rows =>
    {
        var profile = Profile.Reference(new MemoryRows(Inputs, rows), 1);
        profile.Columns.ShouldAllBe(c => c.Rows == rows.Length && c.Counts.Sum() + c.Missing == c.Rows);
        var x = profile.Find("x")!;
        var present = rows.Select(r => r[0]).OfType<int>().Select(i => (double)i).ToList();
        x.Missing.ShouldBe(rows.Length - present.Count);
        if (present.Count == 0)
        {
            x.Moments.ShouldBeNull();
            return;
        }

        x.Moments!.Mean.ShouldBe(present.Average(), 1e-9);
        x.Moments.Deviation.ShouldBe(Math.Sqrt(present.Average(v => (v - present.Average()) * (v - present.Average()))), 1e-9);
        (x.Moments.Least, x.Moments.Greatest).ShouldBe((present.Min(), present.Max()));
        for (var bin = 0; bin < x.Counts.Count; bin++)
            x.Counts[bin].ShouldBe(present.Count(v => x.Layout.Edges.Count(e => e <= v) == bin));
        var s = profile.Find("s")!;
        for (var c = 0; c < s.Layout.Categories.Count; c++)
            s.Counts[c].ShouldBe(rows.Count(r => s.Layout.Categories[c].Equals(r[1])));
    });

    [Fact]
    public void Merge_TwoParts_IsTheProfileOfAll() => Gen.Select(AnyRow.Array[1, 30], AnyRow.Array[1, 30]).Sample((first, second) =>
    {
        var layouts = ProfileLayouts.Of(new MemoryRows(Inputs, [.. first, .. second]), 1);
        var (merged, whole) = (Count(layouts, first).Merge(Count(layouts, second)), Count(layouts, [.. first, .. second]));
        foreach (var (a, b) in merged.Columns.Zip(whole.Columns))
        {
            (a.Rows, a.Missing).ShouldBe((b.Rows, b.Missing));
            a.Counts.ShouldBe(b.Counts);
            (a.Moments is null).ShouldBe(b.Moments is null);
            (a.Moments?.Mean ?? 0).ShouldBe(b.Moments?.Mean ?? 0, 1e-6);
            (a.Moments?.Deviation ?? 0).ShouldBe(b.Moments?.Deviation ?? 0, 1e-6);
        }
    });

    [Fact]
    public void Json_Profile_ReadsBackTheSame() => AnyRow.Array[1, 30].Sample(rows =>
    {
        var bytes = PipelineJson.Write(Profile.Reference(new MemoryRows(Inputs, rows), 1));
        PipelineJson.Write(PipelineJson.Read<Profile>(bytes)).ShouldBe(bytes);
    }, iter: 50);

    [Fact]
    public void Quantiles_OfUniformValues_AreTheirShares()
    {
        var profile = Profile.Reference("score", [.. Enumerable.Range(0, 10_001).Select(i => i / 10_000.0)]);
        profile.Quantiles.Count.ShouldBe(7);
        profile.Quantiles.ShouldAllBe(q => Math.Abs(q.Value - q.Share) < 1e-3);
    }

    [Fact]
    public void Compare_SameDistribution_IsAboutTheExpectedPsi()
    {
        var random = new SeededRandom(4);
        var reference = Profile.Reference("score", Draw(ref random, 20_000, 0));
        double psi = 0, expected = 0;
        for (var i = 0; i < 50; i++)
        {
            var comparison = ProfileComparison.Of(reference, Count(reference.Layout, Draw(ref random, 2_000, 0)));
            psi += comparison.Psi;
            expected += comparison.ExpectedPsi;
        }

        psi.ShouldBe(expected, 0.25 * expected);
    }

    [Fact]
    public void Compare_MovedDistribution_SaysHowFar()
    {
        var random = new SeededRandom(4);
        var reference = Profile.Reference("score", Draw(ref random, 20_000, 0));
        var moved = ProfileComparison.Of(reference, Count(reference.Layout, Draw(ref random, 20_000, 0.3)));
        // Uniform on [0, 1] against [0.3, 1.3]: the distributions are 0.3 apart.
        moved.Distance!.Value.ShouldBe(0.3, 0.01);
        moved.MeanShift!.Value.ShouldBe(0.3 * Math.Sqrt(12), 0.05);
        moved.Psi.ShouldBeGreaterThan(1);
    }

    [Fact]
    public void Compare_ValuesGoneMissing_ShowsInTheBinOfTheirOwn()
    {
        var reference = Profile.Reference("x", [1, 2, 3, 4, 5, 6, 7, 8]);
        var current = ProfileComparison.Of(reference, Count(reference.Layout, [1, 2, 3, 4, 5, 6, 7, 8, .. Enumerable.Repeat(double.NaN, 8)]));
        (current.MissingBefore, current.MissingAfter).ShouldBe((0, 0.5));
        current.Distance.ShouldBe(0);
        current.Psi.ShouldBeGreaterThan(0.5);
    }

    [Fact]
    public void Compare_Strings_UnknownOnesAreTogether()
    {
        var layouts = ProfileLayouts.Of(StepsLab.Column(Inputs[1], ["a", "a", "b", "b"]), 1);
        ProfileBuilder reference = new(layouts), current = new(layouts);
        foreach (var text in new[] { "a", "a", "b", "b" })
            reference.Add(StepsLab.Row(text));
        foreach (var text in new[] { "a", "a", "z", "y" })
            current.Add(StepsLab.Row(text));
        ProfileComparison.Of(reference.Snapshot(), current.Snapshot()).Single().Distance.ShouldBe(0.5);
    }

    [Fact]
    public void Compare_OtherLayout_IsRefused() =>
        Should.Throw<ArgumentException>(() => ProfileComparison.Of(Profile.Reference("x", [1, 2, 3]), Profile.Reference("x", [1, 2, 4]))).Message.ShouldContain("count both by the reference's");

    [Fact]
    public void Add_SteadyState_AllocatesNothing()
    {
        var builder = new ProfileBuilder(ProfileLayouts.Of(new MemoryRows(Inputs, [[1, "a", true, DateTime.UnixEpoch], [2, "b", false, null]]), 1));
        var row = StepsLab.Row(1, "a", true, DateTime.UnixEpoch);
        builder.Add(row);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
            builder.Add(row);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    private static Profile Count(IReadOnlyList<ColumnLayout> layouts, object?[][] rows)
    {
        var builder = new ProfileBuilder(layouts);
        var source = new MemoryRows(Inputs, rows);
        for (var i = 0; i < rows.Length; i++)
            builder.Add(source.Row(i));
        return builder.Snapshot();
    }

    private static ColumnProfile Count(ColumnLayout layout, double[] values)
    {
        var counter = new ColumnCounter(layout);
        foreach (var value in values)
            counter.Add(value);
        return counter.Snapshot();
    }

    private static double[] Draw(ref SeededRandom random, int count, double from)
    {
        var values = new double[count];
        foreach (ref var value in values.AsSpan())
            value = from + random.NextDouble();
        return values;
    }
}
