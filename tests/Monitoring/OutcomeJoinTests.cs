using CsCheck;
using StreamMl.Monitoring.Quality;

namespace StreamMl.Monitoring.Tests;

public sealed class OutcomeJoinTests
{
    [Fact]
    public void Join_HalvesInAnyOrderAndTwice_GivesEachOutcomeOnce()
    {
        Gen.Select(Gen.Int[0, 30], Gen.Bool).Array[0, 200].Sample(steps =>
        {
            var join = new OutcomeJoin();
            var outcomes = new List<Outcome>();
            var (predictions, labels) = (new HashSet<int>(), new HashSet<int>());
            foreach (var (id, isLabel) in steps)
            {
                var outcome = isLabel ? join.Label((UInt128)id, id % 2) : join.Prediction((UInt128)id, id / 100.0);
                (isLabel ? labels : predictions).Add(id);
                if (outcome is { } o)
                    outcomes.Add(o);
            }

            outcomes.OrderBy(o => o.Score).ShouldBe(predictions.Intersect(labels).Order().Select(id => new Outcome(id / 100.0, id % 2)));
            join.Pending.ShouldBe(predictions.Except(labels).Count());
            join.GivenUp.ShouldBe(0);
        });
    }

    [Fact]
    public void Join_MoreKeysThanTheLimit_OldestAreGivenUpAndCounted()
    {
        var join = new OutcomeJoin(maxKeys: 10);
        for (var i = 0; i < 25; i++)
            join.Prediction((UInt128)i, 0.5).ShouldBeNull();
        join.GivenUp.ShouldBe(15);
        join.Pending.ShouldBe(10);
        join.Label(3, 1).ShouldBeNull();
        join.Label(24, 1).ShouldBe(new Outcome(0.5, 1));
    }

    [Fact]
    public void RunningQuality_AgainstAllPairs_IsTheShareOfPairsInOrder()
    {
        Gen.Select(Gen.Int[0, 4095], Gen.Bool).Array[2, 80].Sample(rows =>
        {
            var quality = new RunningQuality();
            foreach (var (bin, positive) in rows)
                quality.Add((bin + 0.5) / 4096, positive);
            var pairs = (from p in rows where p.Item2 from n in rows where !n.Item2 select p.Item1 > n.Item1 ? 1.0 : p.Item1 == n.Item1 ? 0.5 : 0).ToList();
            if (pairs.Count > 0)
                quality.RocAuc.ShouldBe(pairs.Average(), 1e-12);
            else
                double.IsNaN(quality.RocAuc).ShouldBeTrue();
            quality.Brier.ShouldBe(rows.Average(r => Math.Pow(((r.Item1 + 0.5) / 4096) - (r.Item2 ? 1 : 0), 2)), 1e-12);
        });
    }
}
