using StreamMl.Training.Configuration;

namespace StreamMl.Training.Search;

/// <summary>
/// The tree-structured Parzen estimator (J. Bergstra et al. 2011), each parameter by itself: of points drawn from where good trials were dense, the one is taken whose
/// density among the good is greatest against that among the rest. Pure given the sampler.
/// </summary>
internal static class TpeProposer
{
    /// <summary>Trials drawn at random before the estimator has anything to go by.</summary>
    public const int WarmUp = 8;

    private const double GoodShare = 0.25;
    private const int Candidates = 24;

    public static IReadOnlyDictionary<string, double> Propose(IReadOnlyList<Trial> trials, SpaceSampler sampler)
    {
        if (trials.Count < WarmUp)
            return sampler.Draw();
        var ranked = trials.OrderByDescending(t => t.Quality).ThenBy(t => t.Number).ToList();
        var good = ranked[..Math.Max(2, (int)Math.Ceiling(ranked.Count * GoodShare))];
        var rest = ranked[good.Count..];
        return sampler.Point(d => d.Choices.Count > 0 ? Choice(d, good, rest, sampler) : Number(d, good, rest, sampler));
    }

    private static double Number(SearchDimension d, List<Trial> good, List<Trial> rest, SpaceSampler sampler)
    {
        var (inGood, inRest) = (Places(d, good), Places(d, rest));
        var (best, bestRatio) = (0.5, double.NegativeInfinity);
        for (var c = 0; c < Candidates; c++)
        {
            var around = inGood[(int)(sampler.Uniform() * inGood.Length)];
            var candidate = Math.Clamp(around + (sampler.Normal() * Width(inGood.Length)), 0, 1);
            var ratio = Math.Log(Density(candidate, inGood)) - Math.Log(Density(candidate, inRest));
            (best, bestRatio) = ratio > bestRatio ? (candidate, ratio) : (best, bestRatio);
        }

        return SpaceSampler.FromUnit(d, best);
    }

    private static double Choice(SearchDimension d, List<Trial> good, List<Trial> rest, SpaceSampler sampler)
    {
        // Weights by how much oftener the good had it, each choice once for free; drawn, not maximised, so that none is given up.
        double[] weights = [.. d.Choices.Select(c => Share(good, d, c) / Share(rest, d, c) * Share(good, d, c))];
        var at = sampler.Uniform() * weights.Sum();
        for (var i = 0; i < weights.Length - 1; i++)
        {
            if ((at -= weights[i]) < 0)
                return d.Choices[i];
        }

        return d.Choices[^1];
    }

    private static double Share(List<Trial> trials, SearchDimension d, double choice) =>
        (1.0 + trials.Count(t => t.Parameters[d.Parameter] == choice)) / (d.Choices.Count + trials.Count);

    private static double[] Places(SearchDimension d, List<Trial> trials) => [.. trials.Select(t => SpaceSampler.ToUnit(d, t.Parameters[d.Parameter]))];

    private static double Width(int count) => Math.Max(0.05, 1.0 / (1 + count));

    // A flat prior of one trial keeps every density above 0.
    private static double Density(double at, double[] places)
    {
        var width = Width(places.Length);
        return (1 + places.Sum(p => Math.Exp(-0.5 * (at - p) * (at - p) / (width * width)) / (width * Math.Sqrt(2 * Math.PI)))) / (1 + places.Length);
    }
}
