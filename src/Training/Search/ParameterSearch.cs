using StreamMl.ModelEngine.Sampling;
using StreamMl.Training.Configuration;

namespace StreamMl.Training.Search;

/// <summary>
/// Looks for a trainer's parameters within a budget, by their quality on the validation part. The same seed and qualities give the same trials; a budget of time makes
/// their number depend on the machine. Pure but for the clock.
/// </summary>
/// <param name="quality">Trains with these parameters and the share of the full training, and gives the quality, more being better.</param>
internal sealed class ParameterSearch(SearchOptions options, long seed, TimeProvider time, Func<IReadOnlyDictionary<string, double>, double, double> quality, Action<Trial> progress)
{
    private const int Cut = 3;
    private readonly SpaceSampler sampler = new(options.Space, (long)SeededRandom.Mix((ulong)seed, 0x5EA7C4));
    private readonly List<Trial> trials = [];
    private readonly long started = time.GetTimestamp();

    /// <returns>All trials, in order.</returns>
    public IReadOnlyList<Trial> Run()
    {
        if (options.Method == SearchMethod.Halving)
            Halve();
        else
        {
            while (HasBudget())
                Try(options.Method == SearchMethod.Tpe ? TpeProposer.Propose(trials, sampler) : sampler.Draw(), 1);
        }

        return trials;
    }

    /// <summary>The best trial of those with the longest training.</summary>
    public static Trial Best(IReadOnlyList<Trial> trials)
    {
        var longest = trials.Max(t => t.Share);
        return trials.Where(t => t.Share == longest).OrderByDescending(t => t.Quality).ThenBy(t => t.Number).First();
    }

    /// <summary>
    /// Successive halving (K. Jamieson, A. Talwalkar 2016) by thirds: many short trainings, the best third three times as long, and so on; about <c>trials</c> full trainings'
    /// worth of work is spent.
    /// </summary>
    private void Halve()
    {
        var rungs = Math.Clamp((int)Math.Log(options.Trials, Cut), 1, 4);
        var share = Math.Pow(Cut, -rungs);
        List<IReadOnlyDictionary<string, double>> points = [.. Enumerable.Range(0, options.Trials).Select(_ => sampler.Draw())];
        for (var rung = 0; rung <= rungs; rung++, share *= Cut)
        {
            var round = new List<Trial>();
            foreach (var point in points)
            {
                if (trials.Count > 0 && IsOverTime())
                    return;
                round.Add(Try(point, rung == rungs ? 1 : share));
            }

            points = [.. round.OrderByDescending(t => t.Quality).ThenBy(t => t.Number).Take(Math.Max(1, round.Count / Cut)).Select(t => t.Parameters)];
        }
    }

    private Trial Try(IReadOnlyDictionary<string, double> point, double share)
    {
        var trial = new Trial(trials.Count, point, quality(point, share), share);
        trials.Add(trial);
        progress(trial);
        return trial;
    }

    private bool HasBudget() => trials.Count < options.Trials && (trials.Count == 0 || !IsOverTime());

    private bool IsOverTime() => options.Budget is { } budget && time.GetElapsedTime(started) >= budget;
}
